//! What a target does for its model, in disaggregated serving (rule 8).

/// Label of the pod template that says it, with the values of `roles.go` in the llm-d router
/// (`pkg/epp/framework/plugins/scheduling/filter/bylabel/`).
pub const ROLE: &str = "llm-d.ai/role";

/// The parts of serving a request. A model is served where something prefills and something decodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Turns images and sound into what a prefill reads. What is not disaggregated does so itself.
    pub encode: bool,
    /// Reads the prompt.
    pub prefill: bool,
    /// Writes the answer.
    pub decode: bool,
}

impl Parts {
    /// All three.
    pub const ALL: Self = Self {
        encode: true,
        prefill: true,
        decode: true,
    };

    /// What either does.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            encode: self.encode || other.encode,
            prefill: self.prefill || other.prefill,
            decode: self.decode || other.decode,
        }
    }
}

/// What the label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// These parts. Without the label it is all of them.
    Known(Parts),
    /// A word that is not known: it is not woken.
    Unknown,
}

impl Role {
    /// Reads the label's value.
    pub fn of(label: Option<&str>) -> Self {
        let (encode, prefill, decode) = match label.unwrap_or_default() {
            // A server that does both encodes for itself, whether its name says so or not.
            "" | "both" | "prefill-decode" | "encode-prefill-decode" => (true, true, true),
            "decode" => (false, false, true),
            "prefill" => (false, true, false),
            "encode-prefill" => (true, true, false),
            "encode" => (true, false, false),
            _ => return Self::Unknown,
        };
        Self::Known(Parts {
            encode,
            prefill,
            decode,
        })
    }

    /// Its parts. Of one with an unknown role it is not known what it does; it is taken to do all, so that nothing is
    /// woken beside it.
    pub fn parts(self) -> Parts {
        match self {
            Self::Known(parts) => parts,
            Self::Unknown => Parts::ALL,
        }
    }
}
