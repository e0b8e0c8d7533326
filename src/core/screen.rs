//! Pictures to look at now. The rooms show them here; `host` draws them on the terminal, or says that there is one.

use super::raster::Raster;
use std::cell::RefCell;
use std::rc::Rc;

/// Shows pictures.
pub trait Screen {
    /// Shows one.
    fn show(&self, picture: &Raster);
}

thread_local!(static SCREEN: RefCell<Option<Rc<dyn Screen>>> = const { RefCell::new(None) });

/// Who shows pictures from here on.
pub fn set(screen: Option<Rc<dyn Screen>>) {
    SCREEN.replace(screen);
}

/// Shows a picture, if somebody looks.
pub fn show(picture: &Raster) {
    if let Some(screen) = SCREEN.with_borrow(Clone::clone) {
        screen.show(picture);
    }
}
