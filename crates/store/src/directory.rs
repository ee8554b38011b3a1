use std::fmt;
use std::net::SocketAddr;

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

/// A contact that an endpoint registered by datagrams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationRecord {
    /// The endpoint's user name.
    pub username: String,
    /// The contact's URI.
    pub contact: String,
    /// Where the registration came from.
    pub peer: SocketAddr,
    /// How much the contact is preferred, in thousandths.
    pub preference: u16,
    /// The proxies before it, the nearest first.
    pub path: Vec<String>,
    /// What the phone says it is.
    pub user_agent: String,
    /// The phone, and which of its registrations this is.
    pub instance: Option<(String, u32)>,
    /// Call-ID of its registrations.
    pub call_id: String,
    /// CSeq of the last of them.
    pub sequence: u32,
    /// When it ends.
    pub expires_at: Timestamp,
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

    /// Deletes a subaccount at `at`, token first; its records stay. Tells the user names of the endpoints
    /// that are deleted with it.
    async fn delete_subaccount(
        &self,
        subaccount: &SubaccountRecord,
        estate: Estate,
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError>;

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

    /// The application that answers numbers of this very account which have no other.
    async fn number_application(&self, account: &AccountId) -> Result<Option<ApplicationRecord>, StoreError>;

    /// Writes an application, new or changed. One that is the default for numbers
    /// or endpoints takes this from the one of its account that was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Taken`] if another one of its account has the name.
    async fn save_application(&self, application: &ApplicationRecord) -> Result<(), StoreError>;

    /// Deletes an application, does with its endpoints what `endpoints` says, and tells the user names of
    /// those that are deleted.
    async fn delete_application(
        &self,
        id: &ApplicationId,
        endpoints: &Orphaned,
    ) -> Result<Vec<String>, StoreError>;

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

    /// The contacts of endpoints that there are and that last beyond `now`.
    async fn registrations(&self, now: Timestamp) -> Result<Vec<RegistrationRecord>, StoreError>;

    /// Writes the contacts of these endpoints, which have no others then.
    async fn save_registrations(
        &self,
        endpoints: &[(String, Vec<RegistrationRecord>)],
    ) -> Result<(), StoreError>;
}
