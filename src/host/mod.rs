//! The program around the language: commands, runs, the REPL, tests of scripts, messages.

mod annotations;
mod board;
pub mod check;
pub mod cli;
mod complete;
mod cuda;
mod data;
mod doctor;
mod engine;
mod lex;
mod look;
mod output;
mod params;
mod parse_words;
mod picture;
mod progress;
pub mod render;
pub mod repl;
mod run;
mod screen;
mod sixel;
mod suggest;
pub mod test;
mod words;
