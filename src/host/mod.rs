//! The program around the language: commands, runs, the REPL, tests of scripts, messages.

mod annotations;
pub mod check;
pub mod cli;
mod cuda;
mod data;
mod doctor;
mod engine;
mod lex;
mod output;
mod params;
mod parse_words;
mod picture;
mod progress;
mod render;
mod repl;
mod run;
mod suggest;
pub mod test;
mod words;
