//! The page as slides: parts of it that, called by their address, fill the screen.

use maud::{Markup, html};

/// Counts the slides as they are made.
pub(super) struct Deck {
    made: usize,
    /// How many there will be.
    slides: usize,
}

impl Deck {
    pub(super) fn new(slides: usize) -> Self {
        Deck { made: 0, slides }
    }

    /// The next slide, `#slide-1` and so on, with links to its neighbours that only the deck shows. They stand first, so that
    /// they are where the keyboard arrives.
    pub(super) fn slide(&mut self, class: &str, content: Markup) -> Markup {
        self.made += 1;
        let number = self.made;
        html! {
            div class=(if class.is_empty() { "slide".to_string() } else { format!("slide {class}") }) id=(format!("slide-{number}")) {
                nav class="deck" aria-label="Slides" {
                    @if number < self.slides { a class="next" href=(format!("#slide-{}", number + 1)) { "Next" } }
                    @if number > 1 { a href=(format!("#slide-{}", number - 1)) { "Previous" } }
                    span { (number) " of " (self.slides) }
                    a href="#report" { "All on one page" }
                }
                (content)
            }
        }
    }
}
