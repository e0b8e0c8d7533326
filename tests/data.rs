//! Data sets: the order of batches, fetching by every way there is, what damage does.

mod data {
    mod fetching;
    mod loading;
}
