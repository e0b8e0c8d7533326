//! What the species are: every one is a choice of ears, tail, coat, legs and muzzle, and the nearest differ in few.

macro_rules! trait_of {
    ($(#[$doc:meta])* $name:ident: $($variant:ident = $word:literal),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant),* }
        impl $name {
            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

trait_of!(/// Ears.
    Ears: Pointed = "pointed", Floppy = "floppy", Round = "round", Long = "long");
trait_of!(/// Tail.
    Tail: Curled = "curled", Bushy = "bushy", Thin = "thin", Bob = "bob");
trait_of!(/// Pattern of the coat.
    Coat: Plain = "plain", Spots = "spots", Stripes = "stripes", Saddle = "saddle", Patches = "patches");
trait_of!(/// Legs.
    Legs: Long = "long", Short = "short", Socks = "socks");
trait_of!(/// Muzzle.
    Muzzle: Long = "long", Short = "short");

/// One species, which is one class.
#[derive(Clone, Copy, Debug)]
pub struct Species {
    pub name: &'static str,
    pub ears: Ears,
    pub tail: Tail,
    pub coat: Coat,
    pub legs: Legs,
    pub muzzle: Muzzle,
}

const fn species(
    name: &'static str,
    ears: Ears,
    tail: Tail,
    coat: Coat,
    legs: Legs,
    muzzle: Muzzle,
) -> Species {
    Species { name, ears, tail, coat, legs, muzzle }
}

/// All of them. Neighbours share traits, so that no single part settles the class.
pub const SPECIES: [Species; 20] = [
    species("arvo", Ears::Pointed, Tail::Curled, Coat::Plain, Legs::Long, Muzzle::Long),
    species("belu", Ears::Floppy, Tail::Curled, Coat::Spots, Legs::Long, Muzzle::Long),
    species("cimo", Ears::Floppy, Tail::Bushy, Coat::Plain, Legs::Short, Muzzle::Long),
    species("dapa", Ears::Round, Tail::Thin, Coat::Spots, Legs::Long, Muzzle::Short),
    species("elko", Ears::Pointed, Tail::Thin, Coat::Stripes, Legs::Long, Muzzle::Short),
    species("fenu", Ears::Pointed, Tail::Bushy, Coat::Saddle, Legs::Socks, Muzzle::Long),
    species("goro", Ears::Long, Tail::Bob, Coat::Plain, Legs::Short, Muzzle::Short),
    species("hiva", Ears::Round, Tail::Bob, Coat::Stripes, Legs::Short, Muzzle::Short),
    species("isto", Ears::Long, Tail::Thin, Coat::Patches, Legs::Socks, Muzzle::Long),
    species("jolu", Ears::Floppy, Tail::Thin, Coat::Saddle, Legs::Short, Muzzle::Short),
    species("kemi", Ears::Pointed, Tail::Curled, Coat::Patches, Legs::Short, Muzzle::Short),
    species("lano", Ears::Round, Tail::Bushy, Coat::Stripes, Legs::Socks, Muzzle::Long),
    species("miru", Ears::Long, Tail::Curled, Coat::Stripes, Legs::Long, Muzzle::Long),
    species("nuba", Ears::Floppy, Tail::Bob, Coat::Patches, Legs::Long, Muzzle::Short),
    species("opal", Ears::Round, Tail::Curled, Coat::Saddle, Legs::Long, Muzzle::Short),
    species("puko", Ears::Long, Tail::Bushy, Coat::Spots, Legs::Short, Muzzle::Short),
    species("quri", Ears::Pointed, Tail::Bob, Coat::Spots, Legs::Socks, Muzzle::Long),
    species("rafi", Ears::Floppy, Tail::Bushy, Coat::Stripes, Legs::Long, Muzzle::Short),
    species("sedo", Ears::Round, Tail::Thin, Coat::Plain, Legs::Socks, Muzzle::Long),
    species("tavi", Ears::Long, Tail::Bob, Coat::Saddle, Legs::Long, Muzzle::Long),
];
