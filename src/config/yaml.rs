//! From text to a tree of values, and from a key back to its place in the text.
//!
//! `serde_yaml` keeps no places in its tree, but puts the current one into an error that is raised while it
//! reads. [`locate`] makes use of that: it reads the text once more and raises an error at the key.

use std::{cell::Cell, fmt};

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_yaml::{Mapping, Value};

use super::{
    error::{Place, Problem},
    key::{Key, Step, quoted},
};

/// Largest tree that a file may unfold to, in bytes of scalars plus 16 for each node. Far more than any file of the
/// size allowed needs without aliases; with them, a few lines could otherwise fill the memory.
const LARGEST_TREE: usize = 32 * super::parse::LARGEST_FILE;

/// Most opening brackets in a file. The YAML reader's time grows with the square of how deep they are nested: 64 KiB of
/// nothing else keep it busy for seconds. How deep they are shows only after it is done, so they are counted.
const MOST_BRACKETS: usize = 2000;

/// Reads one YAML document; an empty one is `Null`.
///
/// Errors: whatever YAML does not allow, and what it allows but nobody wants here: a key twice in one mapping,
/// a second document, tags, aliases that unfold without end.
pub(super) fn tree(text: &str) -> Result<Value, Problem> {
    if text.bytes().filter(|c| b"[{".contains(c)).count() > MOST_BRACKETS {
        return Err(Problem::of_file(format!(
            "holds more than {MOST_BRACKETS} brackets, so it is no configuration"
        )));
    }
    let budget = Cell::new(LARGEST_TREE);
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else {
        return Ok(Value::Null);
    };
    let value = Tree(&budget)
        .deserialize(first)
        .map_err(|error| invalid(&error))?;
    if documents.next().is_some() {
        return Err(Problem::of_file(
            "holds several YAML documents; keep one and remove the rest from `---` on",
        ));
    }
    Ok(value)
}

/// Largest tree that the documents of one file may unfold to, counted as in [`LARGEST_TREE`].
const LARGEST_DOCUMENTS: usize = 128 << 20;

/// Deepest nesting of brackets, for the reason given at [`MOST_BRACKETS`]: objects of Kubernetes are written in JSON, too.
const DEEPEST_BRACKETS: usize = 500;

/// Reads the YAML documents of a manifest, in order; an empty one is `null`. What [`tree`] refuses is refused here, but
/// for several documents.
///
/// # Errors
/// At the first thing that is wrong, with its place.
pub fn documents(text: &str) -> Result<Vec<serde_json::Value>, Problem> {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    if deepest > DEEPEST_BRACKETS {
        return Err(Problem::of_file(format!(
            "nests brackets more than {DEEPEST_BRACKETS} deep, as no manifest does"
        )));
    }
    let budget = Cell::new(LARGEST_DOCUMENTS);
    serde_yaml::Deserializer::from_str(text)
        .map(|document| {
            let mut value = Tree(&budget)
                .deserialize(document)
                .map_err(|error| invalid(&error))?;
            // `<<: *other`, as kubectl has it.
            value.apply_merge().map_err(|error| invalid(&error))?;
            // Numbers that JSON has no way to write become null.
            serde_json::to_value(value).map_err(|error| Problem::of_file(error.to_string()))
        })
        .collect()
}

/// What `serde_yaml` says, on one line, its place taken out of the text and put where every problem has it.
fn invalid(error: &serde_yaml::Error) -> Problem {
    let place = error.location().map(|at| Place {
        line: at.line(),
        column: at.column(),
    });
    let mut told = error.to_string();
    if let Some(at) = place {
        told = told.replacen(&format!(" at line {} column {}", at.line, at.column), "", 1);
    }
    // It repeats keys as they stand in the file, line ends included.
    let told = told.replace(char::is_control, " ");
    Problem {
        place,
        key: String::new(),
        message: format!("not valid YAML: {told}"),
    }
}

/// Where `key` stands, or else what holds it; `None` if nothing of it stands in the text.
pub(super) fn locate(text: &str, key: &Key) -> Option<Place> {
    let mut key = key.clone();
    while !key.steps().is_empty() {
        let found = Cell::new(false);
        let seek = Seek {
            steps: key.steps(),
            found: &found,
        };
        if let Err(error) = seek.deserialize(serde_yaml::Deserializer::from_str(text))
            && found.get()
        {
            return error.location().map(|at| Place {
                line: at.line(),
                column: at.column(),
            });
        }
        key = key.parent()?;
    }
    None
}

/// Builds the tree and counts what it costs.
#[derive(Clone, Copy)]
struct Tree<'a>(&'a Cell<usize>);

impl Tree<'_> {
    fn pay<E: serde::de::Error>(self, bytes: usize) -> Result<(), E> {
        match self.0.get().checked_sub(bytes.saturating_add(16)) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => Err(E::custom("aliases unfold to more than a configuration can need")),
        }
    }

    fn scalar<E: serde::de::Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.pay(0)?;
        Ok(value.into())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without a tag")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    /// A document without a value.
    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.scalar(value.to_string())
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.scalar(value.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.pay(value.len())?;
        Ok(Value::from(value))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(A::Error::custom(
            "a tag, such as !this, means nothing here; remove it",
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.pay(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Sequence(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.pay(0)?;
        let mut mapping = Mapping::new();
        while let Some(name) = entries.next_key_seed(NewName {
            tree: self,
            mapping: &mapping,
        })? {
            let value = entries.next_value_seed(self)?;
            mapping.insert(name, value);
        }
        Ok(Value::Mapping(mapping))
    }
}

/// A key that its mapping does not hold yet. Refused while it is being read, so that the error knows its place.
struct NewName<'a> {
    tree: Tree<'a>,
    mapping: &'a Mapping,
}

impl<'de> DeserializeSeed<'de> for NewName<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewName<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a key")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Value, E> {
        if self.mapping.contains_key(name) {
            return Err(E::custom(format_args!(
                "{} stands twice in one mapping; remove one",
                quoted(name)
            )));
        }
        self.tree.visit_str(name)
    }
}

/// Follows `steps` and raises an error at the end of them.
#[derive(Clone, Copy)]
struct Seek<'a> {
    steps: &'a [Step],
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Name(name), below)) = self.steps.split_first() else {
            return Err(A::Error::custom("not a mapping"));
        };
        while let Some(found) = entries.next_key_seed(SeekName {
            name,
            last: below.is_empty(),
            found: self.found,
        })? {
            if found {
                return entries.next_value_seed(Seek { steps: below, ..self });
            }
            entries.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Item(index), below)) = self.steps.split_first() else {
            return Err(A::Error::custom("not a list"));
        };
        for _ in 0..*index {
            items.next_element::<IgnoredAny>()?;
        }
        // Without steps left it takes no value of any kind, and so fails at the item.
        self.found.set(below.is_empty());
        items.next_element_seed(Seek { steps: below, ..self })?;
        self.found.set(false);
        Ok(())
    }
}

/// Says whether the next key is the one sought, or raises the error there if it is the last step.
struct SeekName<'a> {
    name: &'a str,
    last: bool,
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for SeekName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for SeekName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a key")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<bool, E> {
        match name == self.name {
            true if self.last => {
                self.found.set(true);
                Err(E::custom("here"))
            }
            same => Ok(same),
        }
    }
}
