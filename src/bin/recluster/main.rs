//! The command line.

mod failure;
mod input;

fn main() {
    let _ = input::table("digits", None);
    let _ = input::labels("digits", None);
    let _ = failure::Failure::data("");
}
