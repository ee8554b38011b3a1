use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use mixminus_control::AccountId;
use mixminus_store::{Directory, Page, StoreError, SubaccountRecord, Token};
use subtle::ConstantTimeEq;

use super::Credentials;

/// Who uses the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The main account.
    Main,
    /// This subaccount.
    Subaccount(AccountId),
}

/// The main account and its subaccounts, kept in memory so that a request is
/// admitted and signed without asking the store.
#[derive(Debug)]
pub struct Accounts {
    main: Credentials,
    main_id: AccountId,
    subaccounts: RwLock<HashMap<AccountId, SubaccountRecord>>,
}

impl Accounts {
    /// The main account without subaccounts.
    pub fn new(main: Credentials) -> Self {
        let main_id = AccountId(main.id.as_str().into());
        Self { main, main_id, subaccounts: RwLock::default() }
    }

    /// The main account with the subaccounts that `store` has of it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    pub async fn load(main: Credentials, store: &dyn Directory) -> Result<Self, StoreError> {
        let accounts = Self::new(main);
        let mut offset = 0;
        loop {
            let page = Page { limit: Page::MAX_LIMIT, offset };
            let (found, total) = store.subaccounts(&accounts.main_id, page).await?;
            offset += found.len() as u64;
            let last = found.is_empty() || offset >= total;
            for subaccount in found {
                accounts.put(subaccount);
            }
            if last {
                return Ok(accounts);
            }
        }
    }

    /// The main account's credentials.
    pub const fn main(&self) -> &Credentials {
        &self.main
    }

    /// The main account's id.
    pub const fn main_id(&self) -> &AccountId {
        &self.main_id
    }

    /// How many subaccounts there are.
    pub fn count(&self) -> usize {
        self.read(HashMap::len)
    }

    /// The subaccount, if there is one.
    pub fn subaccount(&self, id: &AccountId) -> Option<SubaccountRecord> {
        self.read(|subaccounts| subaccounts.get(id).cloned())
    }

    /// Whose credentials `id` and `token` are, if anybody's who may use the API.
    ///
    /// Ids are no secret. The comparison of the token tells by its time nothing
    /// about how much of it is right.
    pub fn admit(&self, id: &[u8], token: &[u8]) -> Option<Caller> {
        let id = AccountId(String::from_utf8(id.to_vec()).ok()?);
        if id == self.main_id {
            return is_same(self.main.token.expose(), token).then_some(Caller::Main);
        }
        let known = self.read(|subaccounts| {
            subaccounts.get(&id).is_some_and(|known| known.enabled && is_same(&known.token.0, token))
        });
        known.then_some(Caller::Subaccount(id))
    }

    /// The account that `caller` acts for on the path of the account `id`, if it
    /// may: its own and, for the main account, that of a subaccount.
    pub fn acting(&self, caller: &Caller, id: &str) -> Option<AccountId> {
        let id = AccountId(id.into());
        let may = match caller {
            Caller::Main => id == self.main_id || self.read(|subaccounts| subaccounts.contains_key(&id)),
            Caller::Subaccount(own) => id == *own,
        };
        may.then_some(id)
    }

    /// What requests in the name of `account` are signed with: a subaccount's
    /// own token, otherwise the main account's.
    pub fn token(&self, account: &AccountId) -> Token {
        let own = self.read(|subaccounts| subaccounts.get(account).map(|known| known.token.clone()));
        own.unwrap_or_else(|| Token(self.main.token.expose().to_owned()))
    }

    /// Takes note of a subaccount that the store has, new or changed.
    pub fn put(&self, subaccount: SubaccountRecord) {
        self.change(|subaccounts| subaccounts.insert(subaccount.id.clone(), subaccount));
    }

    /// Takes note that a subaccount is gone.
    pub fn remove(&self, id: &AccountId) {
        self.change(|subaccounts| subaccounts.remove(id));
    }

    fn read<T>(&self, read: impl FnOnce(&HashMap<AccountId, SubaccountRecord>) -> T) -> T {
        read(&self.subaccounts.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashMap<AccountId, SubaccountRecord>) -> T) -> T {
        change(&mut self.subaccounts.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_same(own: &str, given: &[u8]) -> bool {
    own.as_bytes().ct_eq(given).into()
}

#[cfg(test)]
mod tests {
    use mixminus_control::Timestamp;

    use super::*;
    use crate::account::{AuthId, AuthToken};
    use crate::config::Setting;

    const MAIN: &str = "MATEST00000000000000";
    const SUB: &str = "SATEST00000000000000";
    const TOKEN: &str = "0123456789012345678901234567890123456789";

    fn accounts() -> Accounts {
        let id = AuthId::parse(MAIN).unwrap();
        Accounts::new(Credentials { id, token: AuthToken::parse(TOKEN).unwrap() })
    }

    fn subaccount() -> SubaccountRecord {
        SubaccountRecord {
            id: AccountId(SUB.into()),
            main: AccountId(MAIN.into()),
            name: "sales".into(),
            token: Token("token-of-the-subaccount".into()),
            enabled: true,
            created_at: Timestamp::default(),
            modified_at: None,
        }
    }

    #[test]
    fn only_both_right_are_admitted() {
        let accounts = accounts();
        assert_eq!(accounts.admit(MAIN.as_bytes(), TOKEN.as_bytes()), Some(Caller::Main));
        for (id, token) in [
            ("MATEST00000000000001", TOKEN),
            (MAIN, &TOKEN[1..]),
            (MAIN, ""),
            ("", ""),
            (SUB, ""),
            (SUB, TOKEN),
        ] {
            assert_eq!(accounts.admit(id.as_bytes(), token.as_bytes()), None, "{id}:{token}");
        }
    }

    #[test]
    fn a_subaccount_is_admitted_while_it_is_enabled() {
        let accounts = accounts();
        let admitted = || accounts.admit(SUB.as_bytes(), b"token-of-the-subaccount");
        assert_eq!(admitted(), None);
        accounts.put(subaccount());
        assert_eq!(admitted(), Some(Caller::Subaccount(AccountId(SUB.into()))));
        accounts.put(SubaccountRecord { enabled: false, ..subaccount() });
        assert_eq!(admitted(), None);
        accounts.put(subaccount());
        accounts.remove(&AccountId(SUB.into()));
        assert_eq!(admitted(), None);
    }

    #[test]
    fn the_main_account_acts_for_all_and_a_subaccount_for_itself() {
        let accounts = accounts();
        accounts.put(subaccount());
        let sub = Caller::Subaccount(AccountId(SUB.into()));
        let other = "SAOTHER0000000000000";
        for (caller, path, may) in [
            (&Caller::Main, MAIN, true),
            (&Caller::Main, SUB, true),
            (&Caller::Main, other, false),
            (&sub, SUB, true),
            (&sub, MAIN, false),
            (&sub, other, false),
        ] {
            assert_eq!(accounts.acting(caller, path).is_some(), may, "{caller:?} {path}");
        }
    }

    #[test]
    fn a_subaccounts_requests_are_signed_with_its_own_token() {
        let accounts = accounts();
        accounts.put(subaccount());
        assert_eq!(accounts.token(&AccountId(SUB.into())).0, "token-of-the-subaccount");
        assert_eq!(accounts.token(accounts.main_id()).0, TOKEN);
    }
}
