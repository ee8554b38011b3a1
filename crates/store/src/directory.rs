use std::fmt;

use async_trait::async_trait;
use mixminus_control::{AccountId, ApplicationId, ApplicationRecord, EndpointId, EndpointRecord, Timestamp};

use crate::{Page, StoreError};

/// A token kept in clear, because callbacks are signed with it; prints truncated.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.0.chars().take(4).collect::<String>())
    }
}

/// An account below a main account, with credentials and objects of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubaccountRecord {
    /// Its id.
    pub id: AccountId,
    /// The account it belongs to.
    pub main: AccountId,
    /// A name for people.
    pub name: String,
    /// Its password, which also signs its callbacks.
    pub token: Token,
    /// Whether it may use the API.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
}

/// What becomes of a subaccount's applications and endpoints when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estate {
    /// They are deleted, too.
    Deleted,
    /// The main account gets them.
    Inherited,
}

/// Who an account belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// A person or a company.
    pub name: String,
    /// The city.
    pub city: String,
    /// The postal address.
    pub address: String,
}

/// Which applications or endpoints are wanted; what is absent does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryFilter {
    /// Of this account or subaccount.
    pub account: Option<AccountId>,
    /// With exactly this name.
    pub name: Option<String>,
}

/// What becomes of the endpoints of an application that is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Orphaned {
    /// They are deleted, too.
    Deleted,
    /// They have no application then.
    Kept,
    /// This application answers them.
    MovedTo(ApplicationId),
}

/// What accounts set up: subaccounts, applications and endpoints.
///
/// An account reaches what is its own or of one of its subaccounts, also of one
/// that was deleted. Every method fails with a [`StoreError`] and then has
/// changed nothing; writes survive the loss of power.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// A page of the account's subaccounts, newest first, and how many there are.
    async fn subaccounts(
        &self,
        main: &AccountId,
        page: Page,
    ) -> Result<(Vec<SubaccountRecord>, u64), StoreError>;

    /// Writes a subaccount, new or changed.
    async fn save_subaccount(&self, subaccount: &SubaccountRecord) -> Result<(), StoreError>;

    /// Deletes a subaccount at `at`, token first; its records stay.
    async fn delete_subaccount(
        &self,
        subaccount: &SubaccountRecord,
        estate: Estate,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Who the account belongs to, empty unless it was written.
    async fn profile(&self, account: &AccountId) -> Result<Profile, StoreError>;

    /// Writes who the account belongs to.
    async fn save_profile(&self, account: &AccountId, profile: &Profile) -> Result<(), StoreError>;

    /// A page of applications, newest first, and how many match in all.
    async fn applications(
        &self,
        account: &AccountId,
        filter: &DirectoryFilter,
        page: Page,
    ) -> Result<(Vec<ApplicationRecord>, u64), StoreError>;

    /// One application.
    async fn application(
        &self,
        account: &AccountId,
        id: &ApplicationId,
    ) -> Result<Option<ApplicationRecord>, StoreError>;

    /// The application that new endpoints of this very account get.
    async fn default_application(&self, account: &AccountId)
    -> Result<Option<ApplicationRecord>, StoreError>;

    /// Writes an application, new or changed. One that is the default for numbers
    /// or endpoints takes this from the one of its account that was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Taken`] if another one of its account has the name.
    async fn save_application(&self, application: &ApplicationRecord) -> Result<(), StoreError>;

    /// Deletes an application, and does with its endpoints what `endpoints` says.
    async fn delete_application(&self, id: &ApplicationId, endpoints: &Orphaned) -> Result<(), StoreError>;

    /// A page of endpoints, newest first, and how many match in all.
    async fn endpoints(
        &self,
        account: &AccountId,
        filter: &DirectoryFilter,
        page: Page,
    ) -> Result<(Vec<EndpointRecord>, u64), StoreError>;

    /// One endpoint.
    async fn endpoint(
        &self,
        account: &AccountId,
        id: &EndpointId,
    ) -> Result<Option<EndpointRecord>, StoreError>;

    /// The endpoint with this user name, of whichever account.
    async fn endpoint_by_username(&self, username: &str) -> Result<Option<EndpointRecord>, StoreError>;

    /// Writes an endpoint, new or changed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Taken`] if another one has the user name.
    async fn save_endpoint(&self, endpoint: &EndpointRecord) -> Result<(), StoreError>;

    /// Deletes an endpoint.
    async fn delete_endpoint(&self, id: &EndpointId) -> Result<(), StoreError>;
}
