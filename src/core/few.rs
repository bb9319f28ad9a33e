//! A sorted set that nearly always holds one thing, which then needs no memory of its own.

use std::collections::BTreeSet;

/// The set. It is `Many` only while it does not hold exactly one.
#[derive(Clone, Debug, PartialEq)]
pub enum Few<T> {
    /// One thing.
    One(T),
    /// None, or several.
    Many(BTreeSet<T>),
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Many(BTreeSet::new())
    }
}

impl<T: Ord> Few<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(all) => all.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let (one, many) = match self {
            Self::One(one) => (Some(one), None),
            Self::Many(all) => (None, Some(all)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Puts one in.
    pub fn insert(&mut self, item: T) {
        match self {
            Self::One(one) if *one == item => {}
            Self::One(_) => {
                if let Self::One(one) = std::mem::take(self) {
                    *self = Self::Many([one, item].into());
                }
            }
            Self::Many(all) if all.is_empty() => *self = Self::One(item),
            Self::Many(all) => {
                all.insert(item);
            }
        }
    }

    /// Takes one out.
    pub fn remove(&mut self, item: &T) {
        match self {
            Self::One(one) if one == item => *self = Self::default(),
            Self::One(_) => {}
            Self::Many(all) => {
                all.remove(item);
                if all.len() == 1
                    && let Some(last) = all.pop_first()
                {
                    *self = Self::One(last);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};

    use super::Few;

    proptest! {
        #[test]
        fn it_is_a_sorted_set(steps in vec((any::<bool>(), 0..4_u8), 0..20)) {
            let (mut few, mut plain) = (Few::default(), BTreeSet::new());
            for (put, item) in steps {
                if put {
                    few.insert(item);
                    plain.insert(item);
                } else {
                    few.remove(&item);
                    plain.remove(&item);
                }
                prop_assert!(few.iter().eq(&plain));
                prop_assert_eq!(few.len(), plain.len());
                prop_assert_eq!(few.is_empty(), plain.is_empty());
                prop_assert_eq!(matches!(few, Few::One(_)), plain.len() == 1);
            }
        }
    }
}
