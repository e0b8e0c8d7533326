//! `augment::custom`: an augmentation written in the script. Closures run on the main thread only; the augmentation
//! itself crosses threads, so it holds the number of its closure, which stays behind.

use super::{Aug, Rng, Sample, Transform};
use crate::core::value::FromValue;
use crate::core::{Closure, Error, Result, Value};
use crate::image::Picture;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

thread_local! {
    static CLOSURES: RefCell<HashMap<u64, Closure>> = RefCell::default();
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

struct Custom(u64);

impl Drop for Custom {
    fn drop(&mut self) {
        // The closure goes after the borrow ends; at the end of the thread the table may be gone already.
        let gone = CLOSURES.try_with(|c| c.try_borrow_mut().ok().and_then(|mut c| c.remove(&self.0)));
        drop(gone);
    }
}

impl Transform for Custom {
    fn name(&self) -> &'static str {
        "custom"
    }
    fn on_main(&self) -> bool {
        true
    }
    fn apply(&self, mut s: Sample, _: &mut Rng) -> Result<Sample> {
        let closure = CLOSURES.with_borrow(|c| c.get(&self.0).cloned());
        let closure = closure.ok_or_else(|| Error::new("augment::custom was called off the main thread"))?;
        let out = closure.call(vec![Value::object(Picture::from(s.picture.clone()))])?;
        let out = Picture::from_value(&out).map_err(|e| e.within("result of augment::custom"))?;
        if out.size() != s.size() && (s.mask.is_some() || !s.boxes.is_empty()) {
            return Err(Error::new("augment::custom changed the size of a picture that has a mask or a box")
                .hint("these cannot follow: leave the size, and use augment::resize before or behind it"));
        }
        s.picture = out.raster().clone();
        Ok(s)
    }
}

functions! {
    in "augment";
    /// An augmentation written in the script: a function from picture to picture.
    ///
    /// It runs on the main thread, and so does all that follows it in `augment::compose`: put it last. Masks and
    /// boxes are left as they are.
    /// ```rhai
    /// let aug = augment::custom(|img| img.draw_box(0, 0, 2, 2, "white"));
    /// aug.apply(image::filled(4, 3, "red")) // => Picture of 4 × 3 pixels
    /// ```
    fn custom(f: Closure) -> Aug {
        let id = NEXT.replace(NEXT.get() + 1);
        CLOSURES.with_borrow_mut(|c| c.insert(id, f));
        Aug::new(Custom(id))
    }
}
