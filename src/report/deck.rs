//! The page as slides: parts of it that, called by their address, fill the screen.

use super::text::{Text, Value, say, words};
use maud::{Markup, html};

/// Counts the slides as they are made.
pub(super) struct Deck<'a> {
    text: &'a Text,
    made: usize,
    /// How many there will be.
    slides: usize,
}

impl<'a> Deck<'a> {
    pub(super) fn new(text: &'a Text, slides: usize) -> Self {
        Deck { text, made: 0, slides }
    }

    /// The next slide, `#slide-1` and so on, with links to its neighbours that only the deck shows. They stand first, so that
    /// they are where the keyboard arrives.
    pub(super) fn slide(&mut self, class: &str, content: Markup) -> Markup {
        self.made += 1;
        let (text, number) = (self.text, self.made);
        let (this, all) = (Value::Digits(number), Value::Digits(self.slides));
        html! {
            div class=(if class.is_empty() { "slide".to_string() } else { format!("slide {class}") }) id=(format!("slide-{number}")) {
                nav class="deck" aria-label=(words!(text, "deck.label")) {
                    @if number < self.slides { a class="next" href=(format!("#slide-{}", number + 1)) { (say!(text, "deck.next")) } }
                    @if number > 1 { a href=(format!("#slide-{}", number - 1)) { (say!(text, "deck.previous")) } }
                    span { (say!(text, "deck.place", number = this, all = all)) }
                    a href="#report" { (say!(text, "deck.page")) }
                }
                (content)
            }
        }
    }
}
