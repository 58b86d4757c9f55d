"""The exceptions of gannet. Wrong types are TypeError, and what the system refuses is OSError, as everywhere in Python."""


class Error(Exception):
    """What can go wrong in gannet. Each message says what is wrong and, where something can be done, what to do."""


class SettingError(Error, ValueError):
    """A setting has a value that makes no sense, or that contradicts another one."""


class ShapeError(Error, ValueError):
    """An array has another shape than is needed."""


class DataError(Error, ValueError):
    """Data that were handed in or read are not what they should be."""


class NotFiniteError(Error, ArithmeticError):
    """Training met a NaN or an infinity, or a model makes one. The message names the step, the network and the layer."""


class MemoryLimitError(Error, MemoryError):
    """What was asked for takes more memory than its limit."""


class StateError(Error, RuntimeError):
    """The object is in no state for this call: something else comes first, or an earlier call failed."""


class BusyError(StateError):
    """The object is in another call, in this thread or another one."""


class ForkError(StateError):
    """The object belongs to the process that this one was forked from."""


class PanicError(Error, RuntimeError):
    """A mistake of gannet's own. The object refuses further calls."""


class NotFittedError(StateError, ValueError, AttributeError):
    """The estimator has not been fitted. Where scikit-learn is imported, the exception is its NotFittedError too."""
