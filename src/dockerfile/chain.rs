//! Declarations of one name, linked so that the last one above a place which serves it is found by going outwards.
//!
//! A place's text is one piece of the file. So whatever stands in it above another declaration and serves what comes behind
//! both, stands around that other declaration as well: each needs to know but the last one in a place around its own.

use super::scope::Declaration;
use super::template::{Blocks, Place};

/// How many places around one another are gone through; a declaration outside of more than that serves nobody.
const MAX_NESTING: usize = 200;

/// Some declarations of a name, in the file's order.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    links: Vec<Link>,
}

#[derive(Clone, Debug)]
struct Link {
    /// The declaration, by its place among all of the name.
    declaration: usize,
    /// Where it serves.
    place: Place,
    stage: Option<usize>,
    /// The last link above it of the same stage, in a place around this one.
    outer: Option<usize>,
}

impl Chain {
    /// Links those of `all` that serve a place, the one that `serves` gives. Linear.
    pub(super) fn new(
        blocks: &Blocks,
        all: &[Declaration],
        serves: impl Fn(&Declaration) -> Option<Place>,
    ) -> Self {
        let mut links: Vec<Link> = Vec::new();
        // The last links, each in a place around the next one's.
        let mut open: Vec<usize> = Vec::new();
        for (declaration, it) in all.iter().enumerate() {
            let Some(place) = serves(it) else { continue };
            let around = |link: &Link| {
                link.stage == it.stage && link.place != place && blocks.encloses(link.place, place)
            };
            while open.last().is_some_and(|last| !around(&links[*last])) {
                open.pop();
            }
            links.push(Link {
                declaration,
                place,
                stage: it.stage,
                outer: open.last().copied(),
            });
            open.push(links.len() - 1);
        }
        Self { links }
    }

    /// The last of the declarations, which are among `all`, that stands above the instruction `before` in `stage` and
    /// serves `place`.
    pub(super) fn last<'d>(
        &self,
        blocks: &Blocks,
        all: &'d [Declaration],
        (stage, before): (usize, usize),
        place: Place,
    ) -> Option<&'d Declaration> {
        let above = self
            .links
            .partition_point(|link| all[link.declaration].instruction < before);
        let mut next = above.checked_sub(1);
        for _ in 0..MAX_NESTING {
            let link = next
                .map(|at| &self.links[at])
                .filter(|link| link.stage == Some(stage))?;
            if blocks.encloses(link.place, place) {
                return Some(&all[link.declaration]);
            }
            next = link.outer;
        }
        None
    }
}
