//! How much memory one input takes: more than its size justifies is a fault, also where the pages are never touched.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The system's allocator, which ends the process when more is taken than [`within`] allows.
struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

fn add(bytes: usize) {
    let taken = TAKEN.fetch_add(bytes, Relaxed).saturating_add(bytes);
    // Wrong only after more was given back than taken, which is below any limit. A panic's trace takes what it needs.
    if taken > MOST.load(Relaxed) && taken < usize::MAX / 2 && !std::thread::panicking() {
        let most = MOST.swap(usize::MAX, Relaxed);
        let trace = std::backtrace::Backtrace::force_capture();
        eprintln!("{bytes} bytes asked for, {taken} taken in all, {most} allowed\n{trace}");
        std::process::abort();
    }
}

// SAFETY: the system's allocator does all the work; counting changes no pointer and no layout.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        TAKEN.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Runs `work`, which may take `most` bytes beyond what is taken already.
pub(crate) fn within<T>(most: usize, work: impl FnOnce() -> T) -> T {
    MOST.store(TAKEN.load(Relaxed).saturating_add(most), Relaxed);
    let done = work();
    MOST.store(usize::MAX, Relaxed);
    done
}
