//! Handles: numbers of places in a table, handed out as pointers that nobody reads through.
//!
//! A pointer that comes from outside may be anything. So a handle is the number of a place and of the place's use: whatever is handed in
//! is looked up before anything is read, and one that was freed, is of another kind or never was one is told apart. A place is used by one
//! call at a time; a second one is refused, not made to wait, which also catches calls from within callbacks.
//!
//! No lock guards the table, so that a fork while another thread is in a call leaves none locked for ever.

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::status::{Failure, GannetStatus};

/// Bits of a place's number.
const INDEX_BITS: u32 = 14;
/// Handles that there may be at once.
const PLACES: usize = 1 << INDEX_BITS;
/// Bits of a handle that are 0, as in the address of anything that is aligned.
const ZERO_BITS: u32 = 3;
/// Bits of the number of a use.
const USE_BITS: u32 = usize::BITS - INDEX_BITS - ZERO_BITS;
/// Bits of a place's phase.
const PHASE_BITS: u32 = 2;

/// What a place is doing.
const FREE: u64 = 0;
const IDLE: u64 = 1;
const IN_CALL: u64 = 2;

/// What a handle may stand for.
pub(crate) trait Handled: Any + Send {
    /// What it is called in C.
    type Opaque;

    /// Its name in messages.
    const NAME: &'static str;

    /// The flag that other threads may set while a call is in progress.
    fn stop_flag(&self) -> *mut AtomicBool {
        ptr::null_mut()
    }
}

/// A place of the table.
struct Place {
    /// The number of its use, above the phase.
    state: AtomicU64,
    /// The process that made what it holds.
    process: AtomicU32,
    /// Whether a panic came out of a call on it.
    refuses: AtomicBool,
    /// Its stop flag, and how many threads look at that.
    stop: AtomicPtr<AtomicBool>,
    lookers: AtomicUsize,
    /// Whoever has brought the state to [`IN_CALL`] owns this.
    object: UnsafeCell<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `object` is reached by the one thread that has brought `state` from FREE or IDLE to IN_CALL, until it stores another
// state; what it holds is `Send`. Everything else is atomic.
unsafe impl Sync for Place {}

static TABLE: [Place; PLACES] = [const {
    Place {
        state: AtomicU64::new(FREE),
        process: AtomicU32::new(0),
        refuses: AtomicBool::new(false),
        stop: AtomicPtr::new(ptr::null_mut()),
        lookers: AtomicUsize::new(0),
        object: UnsafeCell::new(None),
    }
}; PLACES];

/// Where the search for a free place begins.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// The process that made the first handle.
static FIRST_PROCESS: AtomicU32 = AtomicU32::new(0);

/// A place in a call. Dropped, it is idle again, or free where it holds nothing.
struct Call {
    place: &'static Place,
    used: u64,
    /// Whether the work of the call has begun and not come back.
    at_work: bool,
}

impl Call {
    /// Brings the place that `handle` means into a call, if what it holds may be used.
    fn enter<T: Handled>(handle: *const T::Opaque) -> Result<Self, Failure> {
        let (place, used) = look_up::<T>(handle)?;
        let idle = used << PHASE_BITS | IDLE;
        let in_call = used << PHASE_BITS | IN_CALL;
        place.state.compare_exchange(idle, in_call, Ordering::Acquire, Ordering::Relaxed).map_err(|state| {
            if state == in_call {
                let problem = format!(
                    "the {} is in another call; use a handle from one thread at a time, and not from its own callbacks",
                    T::NAME
                );
                Failure::new(GannetStatus::Busy, problem)
            } else {
                no_handle::<T>()
            }
        })?;
        Ok(Self { place, used, at_work: false })
    }

    /// What the place holds.
    fn object<T: Handled>(&mut self) -> Result<&mut T, Failure> {
        // SAFETY: this call has brought the state to IN_CALL, so the object is its own.
        let object = unsafe { &mut *self.place.object.get() };
        object.as_mut().and_then(|object| object.downcast_mut()).ok_or_else(no_handle::<T>)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.at_work {
            self.place.refuses.store(true, Ordering::Relaxed);
        }
        // SAFETY: as in `object`.
        let is_empty = unsafe { &*self.place.object.get() }.is_none();
        let state = if is_empty { next_use(self.used) << PHASE_BITS | FREE } else { self.used << PHASE_BITS | IDLE };
        self.place.state.store(state, Ordering::Release);
    }
}

/// The use of a place after `used`; 0 is none, so that no handle is NULL.
fn next_use(used: u64) -> u64 {
    let next = used + 1;
    if next >> USE_BITS == 0 { next } else { 1 }
}

/// The place and the use that `handle` means, if there is such a use and it is of this process.
fn look_up<T: Handled>(handle: *const T::Opaque) -> Result<(&'static Place, u64), Failure> {
    if handle.is_null() {
        return Err(Failure::new(GannetStatus::NullPointer, format!("the {} is NULL", T::NAME)));
    }
    let number = handle.addr();
    let used = (number >> (INDEX_BITS + ZERO_BITS)) as u64;
    let place = &TABLE[(number >> ZERO_BITS) % PLACES];
    let state = place.state.load(Ordering::Acquire);
    let is_handle = number.trailing_zeros() >= ZERO_BITS && state >> PHASE_BITS == used && used != 0;
    if !is_handle || state == used << PHASE_BITS | FREE {
        return Err(no_handle::<T>());
    }
    if place.process.load(Ordering::Relaxed) != std::process::id() {
        let problem = format!(
            "the {} was made before the process forked, and its threads are the parent's; make another one in the child",
            T::NAME
        );
        return Err(Failure::new(GannetStatus::Forked, problem));
    }
    Ok((place, used))
}

fn no_handle<T: Handled>() -> Failure {
    let problem = format!("not the handle of a {}: it was freed, is of another kind, or never was one", T::NAME);
    Failure::new(GannetStatus::WrongHandle, problem)
}

/// In the child of a fork, refuses to go on where the parent was in a call: it may have held a lock, which nobody here would open.
fn check_fork(process: u32) -> Result<(), Failure> {
    let first = FIRST_PROCESS.compare_exchange(0, process, Ordering::Relaxed, Ordering::Relaxed);
    if first.map_or_else(|first| first == process, |_| true) {
        return Ok(());
    }
    let in_call = |place: &Place| {
        let phase = place.state.load(Ordering::Relaxed) & ((1 << PHASE_BITS) - 1);
        phase == IN_CALL && place.process.load(Ordering::Relaxed) != process
    };
    if TABLE.iter().any(in_call) {
        let problem = "the process forked while a call of gannet was in progress; fork between calls, or start a new program in the child";
        return Err(Failure::new(GannetStatus::Forked, problem));
    }
    Ok(())
}

/// The handle of what `make` makes.
pub(crate) fn insert<T: Handled>(make: impl FnOnce() -> Result<T, Failure>) -> Result<*mut T::Opaque, Failure> {
    let process = std::process::id();
    check_fork(process)?;
    let first = NEXT.fetch_add(1, Ordering::Relaxed);
    let free = (0..PLACES).map(|offset| first.wrapping_add(offset) % PLACES).find_map(|index| {
        let place = &TABLE[index];
        let state = place.state.load(Ordering::Relaxed);
        let used = (state >> PHASE_BITS).max(1);
        let entered = used << PHASE_BITS | IN_CALL;
        let is_free = state & ((1 << PHASE_BITS) - 1) == FREE;
        let is_taken =
            is_free && place.state.compare_exchange(state, entered, Ordering::Acquire, Ordering::Relaxed).is_ok();
        is_taken.then_some((index, Call { place, used, at_work: false }))
    });
    let Some((index, call)) = free else {
        let problem = format!("there are {PLACES} handles, and no more can be made; free some");
        return Err(Failure::new(GannetStatus::TooManyHandles, problem));
    };
    call.place.process.store(process, Ordering::Relaxed);
    call.place.refuses.store(false, Ordering::Relaxed);
    let object = Box::new(make()?);
    call.place.stop.store(object.stop_flag(), Ordering::SeqCst);
    // SAFETY: this call has brought the state to IN_CALL, so the object is its own.
    unsafe { *call.place.object.get() = Some(object) };
    let number = (call.used as usize) << INDEX_BITS | index;
    Ok(ptr::without_provenance_mut(number << ZERO_BITS))
}

/// Lets `work` use what `handle` stands for.
pub(crate) fn with<T: Handled, R>(
    handle: *const T::Opaque,
    work: impl FnOnce(&mut T) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let mut call = Call::enter::<T>(handle)?;
    call.object::<T>()?;
    if call.place.refuses.load(Ordering::Relaxed) {
        let problem = format!("an earlier call on this {} panicked; free it, and go on from a checkpoint", T::NAME);
        return Err(Failure::new(GannetStatus::Refused, problem));
    }
    call.at_work = true;
    let outcome = work(call.object()?);
    call.at_work = false;
    outcome
}

/// Frees what `handle` stands for; NULL stands for nothing.
pub(crate) fn remove<T: Handled>(handle: *mut T::Opaque) -> Result<(), Failure> {
    if handle.is_null() {
        return Ok(());
    }
    let mut call = Call::enter::<T>(handle)?;
    call.object::<T>()?;
    call.place.stop.store(ptr::null_mut(), Ordering::SeqCst);
    while call.place.lookers.load(Ordering::SeqCst) > 0 {
        hint::spin_loop();
    }
    // SAFETY: as in `Call::object`; nobody looks at the stop flag any more.
    let object = unsafe { &mut *call.place.object.get() }.take();
    drop(call);
    drop(object);
    Ok(())
}

/// Sets the stop flag of what `handle` stands for, whatever call it is in. Takes no lock and no memory where that goes well.
pub(crate) fn stop<T: Handled>(handle: *const T::Opaque) -> Result<(), Failure> {
    let (place, used) = look_up::<T>(handle)?;
    place.lookers.fetch_add(1, Ordering::SeqCst);
    let flag = place.stop.load(Ordering::SeqCst);
    // Where it is still the same use, the flag is its own, and stays until nobody looks.
    let is_same = place.state.load(Ordering::SeqCst) >> PHASE_BITS == used;
    let is_set = is_same && !flag.is_null();
    if is_set {
        // SAFETY: `remove` frees the flag's owner after it has stored NULL and has then seen no looker; this looker came before.
        unsafe { &*flag }.store(true, Ordering::Relaxed);
    }
    place.lookers.fetch_sub(1, Ordering::SeqCst);
    if is_set { Ok(()) } else { Err(no_handle::<T>()) }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    struct Number(u32);
    struct Text;

    impl Handled for Number {
        type Opaque = Number;
        const NAME: &'static str = "number";
    }

    impl Handled for Text {
        type Opaque = Text;
        const NAME: &'static str = "text";
    }

    fn status<R>(outcome: Result<R, Failure>) -> GannetStatus {
        outcome.map_or_else(|failure| failure.status, |_| GannetStatus::Ok)
    }

    fn value(handle: *mut Number) -> Result<u32, Failure> {
        with::<Number, _>(handle, |number| Ok(number.0))
    }

    #[test]
    fn a_handle_is_good_until_it_is_freed() {
        let one = insert(|| Ok(Number(1))).unwrap();
        let two = insert(|| Ok(Number(2))).unwrap();
        assert_eq!((value(one).unwrap(), value(two).unwrap()), (1, 2));
        remove::<Number>(one).unwrap();
        assert_eq!(status(value(one)), GannetStatus::WrongHandle);
        assert_eq!(status(remove::<Number>(one)), GannetStatus::WrongHandle);
        assert_eq!(value(two).unwrap(), 2);
        remove::<Number>(two).unwrap();
        remove::<Number>(ptr::null_mut()).unwrap();
        assert_eq!(status(value(ptr::null_mut())), GannetStatus::NullPointer);
    }

    #[test]
    fn whatever_is_no_handle_is_refused() {
        let text = insert(|| Ok(Text)).unwrap();
        assert_eq!(status(value(text.cast())), GannetStatus::WrongHandle);
        assert_eq!(status(stop::<Text>(text)), GannetStatus::WrongHandle, "it has no stop flag");
        with::<Text, _>(text, |_| Ok(())).unwrap();
        let mut local = 0u64;
        for strange in
            [ptr::from_mut(&mut local).addr(), 1, 8, usize::MAX, usize::MAX - 7, text.addr() + 1, text.addr() + 8]
        {
            assert_eq!(status(value(ptr::without_provenance_mut(strange))), GannetStatus::WrongHandle, "{strange:#x}");
        }
        remove::<Text>(text).unwrap();
    }

    #[test]
    fn a_handle_in_a_call_is_busy() {
        let number = insert(|| Ok(Number(1))).unwrap();
        with::<Number, _>(number, |_| {
            assert_eq!(status(value(number)), GannetStatus::Busy);
            assert_eq!(status(remove::<Number>(number)), GannetStatus::Busy);
            Ok(())
        })
        .unwrap();
        assert_eq!(value(number).unwrap(), 1);
        remove::<Number>(number).unwrap();
    }

    #[test]
    fn a_handle_that_panicked_can_only_be_freed() {
        let number = insert(|| Ok(Number(1))).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| with::<Number, ()>(number, |_| panic!("on purpose"))));
        assert!(panicked.is_err());
        assert_eq!(status(value(number)), GannetStatus::Refused);
        remove::<Number>(number).unwrap();
        assert!(catch_unwind(|| insert::<Number>(|| panic!("on purpose"))).is_err());
        let failed = insert::<Number>(|| Err(Failure::argument("no")));
        assert_eq!(status(failed), GannetStatus::InvalidArgument);
    }

    #[test]
    fn threads_share_the_table() {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || {
                    for index in 0..2_000 {
                        let number = insert(|| Ok(Number(thread * 10_000 + index))).unwrap();
                        assert_eq!(value(number).unwrap(), thread * 10_000 + index);
                        remove::<Number>(number).unwrap();
                    }
                });
            }
        });
    }
}
