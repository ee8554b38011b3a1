//! How the keys of the configuration are described: once, for the structs, the reader, the error
//! messages and the reference.

/// One key as the reference shows it.
pub(super) struct Key {
    pub name: &'static str,
    pub doc: &'static [&'static str],
    /// TOML text.
    pub default: &'static str,
    /// Whether `default` is only an example of what could be set.
    pub optional: bool,
    pub accepts: fn() -> String,
}

/// Keys under one heading; those at the top level have no name.
pub(super) struct Section {
    pub name: &'static str,
    pub doc: &'static [&'static str],
    /// The example of a label, where there may be several such tables, each with a label of its own.
    pub label: Option<&'static str>,
    pub keys: &'static [Key],
}

/// The entries of keys in the reference.
macro_rules! keys {
    ($( $(#[doc = $doc:literal])+ $key:ident: $Value:ty = $default:tt, )*) => {
        &[$( Key {
            name: stringify!($key),
            doc: &[$($doc),+],
            default: stringify!($default),
            optional: <$Value as Setting>::OPTIONAL,
            accepts: <$Value as Setting>::accepts,
        } ),*]
    };
}

/// Makes the structs, the reader and the table of keys. A value is a TOML
/// literal: the default, or for an `Option` an example. Of a section after `each`
/// there may be several, each under a label of its own.
macro_rules! settings {
    (
        { $($root:tt)* }
        $( $(#[doc = $section_doc:literal])+ $section:ident: $Section:ident { $($body:tt)* } )*
        each $( $(#[doc = $table_doc:literal])+ $table:ident: $Table:ident = $label:literal { $($row:tt)* } )*
    ) => {
        settings! { @config { $($root)* } { $($section: $Section,)* } { $($table: $Table,)* } }
        $( settings! { @section [$($section_doc)+] $Section { $($body)* } } )*
        $( settings! { @section [$($table_doc)+] $Table { $($row)* } } )*

        const SECTIONS: &[Section] = &[
            Section { name: "", doc: &[], label: None, keys: keys! { $($root)* } },
            $( Section {
                name: stringify!($section),
                doc: &[$($section_doc),+],
                label: None,
                keys: keys! { $($body)* },
            }, )*
            $( Section {
                name: stringify!($table),
                doc: &[$($table_doc),+],
                label: Some($label),
                keys: keys! { $($row)* },
            }, )*
        ];
    };
    (@config
        { $( $(#[doc = $doc:literal])+ $key:ident: $Value:ty = $default:tt, )* }
        { $( $section:ident: $Section:ident, )* }
        { $( $table:ident: $Table:ident, )* }
    ) => {
        /// The whole configuration, every value checked.
        #[derive(Clone, Debug)]
        pub struct Config {
            $( $(#[doc = $doc])+ pub $key: $Value, )*
            $( #[doc = concat!("Keys under `[", stringify!($section), "]`.")] pub $section: $Section, )*
            $(
                #[doc = concat!("Keys under `[", stringify!($table), ".LABEL]`, by label.")]
                pub $table: BTreeMap<String, $Table>,
            )*
        }

        impl Config {
            fn read(layers: &source::Layers) -> Result<Self, ConfigError> {
                Ok(Self {
                    $( $key: layers.value(stringify!($key), stringify!($default))?, )*
                    $( $section: $Section::read(layers, stringify!($section))?, )*
                    $( $table: layers.tables(stringify!($table), $Table::read)?, )*
                })
            }
        }
    };
    (@section [$($section_doc:literal)+] $Section:ident {
        $( $(#[doc = $doc:literal])+ $key:ident: $Value:ty = $default:tt, )*
    }) => {
        $(#[doc = $section_doc])+
        #[derive(Clone, Debug)]
        pub struct $Section {
            $( $(#[doc = $doc])+ pub $key: $Value, )*
        }

        impl $Section {
            fn read(layers: &source::Layers, name: &str) -> Result<Self, ConfigError> {
                let key = |key: &str| format!("{name}.{key}");
                Ok(Self { $( $key: layers.value(&key(stringify!($key)), stringify!($default))?, )* })
            }
        }
    };
}
