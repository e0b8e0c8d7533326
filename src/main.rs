fn main() {
    cs385::bindings::guard::silence_panics();
    let engine = cs385::bindings::engine();
    let src = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    if let Err(e) = engine.run(&src) {
        println!("{e:?}\n{e}");
    }
}
