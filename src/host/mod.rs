//! The program around the language: commands, runs, the REPL, tests of scripts, messages.

mod annotations;
pub mod check;
pub mod cli;
mod cuda;
mod data;
mod docs;
mod doctor;
mod engine;
mod habits;
mod json;
mod lex;
mod limits;
mod look;
mod output;
mod params;
mod parse_words;
mod picture;
mod progress;
pub mod render;
pub mod repl;
mod run;
mod runs;
mod screen;
mod sixel;
mod suggest;
pub mod test;
mod words;
