//! A setting that is one of several kinds: a table with `kind`, or the name of the kind alone.

use gannet::{Error, Result};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Table, Value};

use crate::toml_error::readable;

/// The name of the kind within the table.
const KIND: &str = "kind";

/// The setting as it stands in the file.
#[derive(Clone, Debug)]
pub(crate) struct Kinded(Table);

impl Kinded {
    /// The setting called `name`. A table that leaves its kind out is of the kind that alone has one of its settings (`only`:
    /// setting, kind), or else `usual`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for an unknown kind, an unknown setting or a value of the wrong type.
    pub(crate) fn read<T: DeserializeOwned + Serialize>(
        self,
        name: &str,
        only: &[(&str, &str)],
        usual: &str,
    ) -> Result<T> {
        let Self(mut table) = self;
        if !table.contains_key(KIND) {
            let owner = only.iter().find(|(setting, _)| table.contains_key(*setting));
            table.insert(KIND.to_string(), Value::String(owner.map_or(usual, |&(_, kind)| kind).to_string()));
        }
        let given: Vec<String> = table.keys().cloned().collect();
        let wrong = |problem: String| Error::setting(name, problem);
        let setting: T = table.try_into().map_err(|error: toml::de::Error| wrong(readable(&error)))?;
        // Serde lets unknown names pass in kinds without settings.
        let known = Table::try_from(&setting).map_err(|error| wrong(error.to_string()))?;
        match given.iter().find(|name| !known.contains_key(*name)) {
            Some(unknown) => {
                let kind = known.get(KIND).and_then(Value::as_str).unwrap_or_default();
                Err(wrong(format!("the kind {kind} has no setting `{unknown}`; leave it out, or give another kind")))
            }
            None => Ok(setting),
        }
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Kinded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Kinded;

            fn expecting(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                text.write_str("a table with `kind`, or the name of the kind")
            }

            fn visit_str<E>(self, kind: &str) -> std::result::Result<Kinded, E> {
                Ok(Kinded(Table::from_iter([(KIND.to_string(), Value::String(kind.to_string()))])))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Kinded, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(Kinded)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
