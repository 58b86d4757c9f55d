//! The optimizers as PyTorch defines them (`torch.optim.Adam`, `AdamW`, `RMSprop`, `SGD`), for one parameter.

/// Adam (Kingma and Ba 2015, algorithm 1) with its state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam {
    pub(crate) learning_rate: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) epsilon: f64,
    pub(crate) first_moment: f64,
    pub(crate) second_moment: f64,
    pub(crate) steps: i32,
}

impl Adam {
    /// Before the first step.
    pub(crate) fn new([learning_rate, beta1, beta2, epsilon]: [f32; 4]) -> Self {
        let [learning_rate, beta1, beta2, epsilon] = [learning_rate, beta1, beta2, epsilon].map(f64::from);
        Self { learning_rate, beta1, beta2, epsilon, first_moment: 0.0, second_moment: 0.0, steps: 0 }
    }

    pub(crate) fn step(&mut self, parameter: &mut f64, gradient: f64) {
        self.steps += 1;
        self.first_moment = self.beta1 * self.first_moment + (1.0 - self.beta1) * gradient;
        self.second_moment = self.beta2 * self.second_moment + (1.0 - self.beta2) * gradient * gradient;
        let first = self.first_moment / (1.0 - self.beta1.powi(self.steps));
        let second = self.second_moment / (1.0 - self.beta2.powi(self.steps));
        *parameter -= self.learning_rate * first / (second.sqrt() + self.epsilon);
    }
}

/// AdamW (Loshchilov and Hutter 2019, algorithm 2) with its state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamW {
    pub(crate) adam: Adam,
    pub(crate) weight_decay: f64,
}

impl AdamW {
    /// Before the first step.
    pub(crate) fn new(adam: [f32; 4], weight_decay: f32) -> Self {
        Self { adam: Adam::new(adam), weight_decay: f64::from(weight_decay) }
    }

    pub(crate) fn step(&mut self, parameter: &mut f64, gradient: f64) {
        *parameter -= self.adam.learning_rate * self.weight_decay * *parameter;
        self.adam.step(parameter, gradient);
    }
}

/// RMSprop with its state, without momentum and centering.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RmsProp {
    pub(crate) learning_rate: f64,
    pub(crate) alpha: f64,
    pub(crate) epsilon: f64,
    pub(crate) mean_square: f64,
}

impl RmsProp {
    /// Before the first step.
    pub(crate) fn new([learning_rate, alpha, epsilon]: [f32; 3]) -> Self {
        let [learning_rate, alpha, epsilon] = [learning_rate, alpha, epsilon].map(f64::from);
        Self { learning_rate, alpha, epsilon, mean_square: 0.0 }
    }

    pub(crate) fn step(&mut self, parameter: &mut f64, gradient: f64) {
        self.mean_square = self.alpha * self.mean_square + (1.0 - self.alpha) * gradient * gradient;
        *parameter -= self.learning_rate * gradient / (self.mean_square.sqrt() + self.epsilon);
    }
}

/// Gradient descent with its state. The velocity is a plain sum of gradients, which PyTorch takes from Sutskever et al. 2013.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sgd {
    pub(crate) learning_rate: f64,
    pub(crate) momentum: f64,
    pub(crate) velocity: f64,
}

impl Sgd {
    /// Before the first step.
    pub(crate) fn new([learning_rate, momentum]: [f32; 2]) -> Self {
        Self { learning_rate: f64::from(learning_rate), momentum: f64::from(momentum), velocity: 0.0 }
    }

    pub(crate) fn step(&mut self, parameter: &mut f64, gradient: f64) {
        self.velocity = self.momentum * self.velocity + gradient;
        *parameter -= self.learning_rate * self.velocity;
    }
}
