//! Labels and selectors, small: a sorted slice instead of a tree per object.

/// Label names and values, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// Whether there are none. As a selector, this matches nothing (rule 7).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    /// Whether `self`, as a selector, selects an object with `labels`: each of its pairs stands
    /// among them. An empty selector selects nothing.
    pub fn selects(&self, labels: &Self) -> bool {
        !self.is_empty() && self.0.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    /// The pairs in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))
    }
}

impl<N: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Labels {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        let mut pairs: Vec<(Box<str>, Box<str>)> =
            pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        pairs.sort();
        pairs.dedup_by(|later, kept| later.0 == kept.0);
        Self(pairs.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Labels;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_selector_selects_what_carries_all_of_its_pairs() {
        let pod = labels(&[("model", "llama"), ("app", "vllm"), ("zone", "a")]);
        assert!(labels(&[("app", "vllm"), ("model", "llama")]).selects(&pod));
        assert!(!labels(&[("app", "vllm"), ("model", "qwen")]).selects(&pod));
        assert!(!labels(&[("app", "vllm"), ("gpu", "h100")]).selects(&pod));
    }

    #[test]
    fn an_empty_selector_selects_nothing() {
        assert!(!Labels::default().selects(&labels(&[("app", "vllm")])));
        assert!(!Labels::default().selects(&Labels::default()));
    }
}
