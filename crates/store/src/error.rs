use std::path::PathBuf;

/// Why the store could not do what was asked; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database file cannot be opened or created.
    #[error("cannot open the store {}: {source}", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the store open.
    #[error("the store {} is in use by another process", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The schema could not be brought up to date.
    #[error("cannot migrate the store: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database refused a statement.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// Something else has a name that only one may have.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// A row holds something this version does not know.
    #[error("the store holds an unknown {column}: {value:?}")]
    Unknown {
        /// The column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
}
