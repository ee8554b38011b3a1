//! The STUN messages of connectivity checks (RFC 8489; RFC 8445, section 7).

use std::net::SocketAddr;

use rtc_crypto::default_provider;
use rtc_shared::error::Result;
use rtc_stun::attributes::{
    ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
};
use rtc_stun::error_code::CODE_ROLE_CONFLICT;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, MESSAGE_HEADER_SIZE, Message, Setter, is_stun_message,
};
use rtc_stun::xoraddr::XorMappedAddress;

use crate::Credentials;

/// A number that tells a request from all others.
pub(crate) type Transaction = [u8; 12];

/// A binding request whose password has not been looked at.
#[derive(Debug)]
pub(crate) struct Request(Message);

impl Request {
    /// Reads a request that ends with its fingerprint, as those of ICE do.
    pub(crate) fn read(datagram: &[u8]) -> Option<Self> {
        let mut message = Message::new();
        if !is_stun_message(datagram) {
            return None;
        }
        message.unmarshal_binary(datagram).ok()?;
        let whole = message.raw.len() == MESSAGE_HEADER_SIZE + message.length as usize;
        let ends = message.attributes.0.last()?.typ == ATTR_FINGERPRINT;
        let sound = whole && ends && message.typ == BINDING_REQUEST && FINGERPRINT.check(&message).is_ok();
        sound.then_some(Self(message))
    }

    pub(crate) fn transaction(&self) -> Transaction {
        self.0.transaction_id.0
    }

    /// Whether it is for `ours` and by `theirs`.
    pub(crate) fn is_between(&self, ours: &str, theirs: &str) -> bool {
        let name = self.0.get(ATTR_USERNAME).unwrap_or_default();
        let (our_bytes, their_bytes) = (ours.as_bytes(), theirs.as_bytes());
        name.strip_prefix(our_bytes).and_then(|rest| rest.strip_prefix(b":")) == Some(their_bytes)
    }

    /// What it says, if whoever sent it knows our password. What comes after the proof is not proved.
    pub(crate) fn prove(mut self, ours: &Credentials) -> Option<Check> {
        let crypto = default_provider().ok()?;
        let key = ours.password().as_bytes();
        MessageIntegrity::check(&mut self.0, key, crypto.crypto()).ok()?;
        let attributes = &self.0.attributes.0;
        let proved = || attributes.iter().map(|a| a.typ).take_while(|a| *a != ATTR_MESSAGE_INTEGRITY);
        Some(Check {
            nominates: proved().any(|attribute| attribute == ATTR_USE_CANDIDATE),
            is_controlled: proved().any(|attribute| attribute == ATTR_ICE_CONTROLLED),
            request: self.0,
        })
    }
}

/// A connectivity check that is one of the far end's.
#[derive(Debug)]
pub(crate) struct Check {
    /// Whether it asks for its way to be used.
    pub(crate) nominates: bool,
    /// Whether it believes that we choose the way, which an agent like us never does.
    pub(crate) is_controlled: bool,
    request: Message,
}

impl Check {
    /// That it came, from `source`.
    pub(crate) fn accept(&self, source: SocketAddr, ours: &Credentials) -> Option<Vec<u8>> {
        let mapped = XorMappedAddress { ip: source.ip(), port: source.port() };
        self.answer(Box::new(BINDING_SUCCESS), Box::new(mapped), ours).ok()
    }

    /// That the far end has to choose the way.
    pub(crate) fn refuse_role(&self, ours: &Credentials) -> Option<Vec<u8>> {
        self.answer(Box::new(BINDING_ERROR), Box::new(CODE_ROLE_CONFLICT), ours).ok()
    }

    fn answer(&self, kind: Box<dyn Setter>, said: Box<dyn Setter>, ours: &Credentials) -> Result<Vec<u8>> {
        let crypto =
            default_provider().map_err(|error| rtc_shared::error::Error::Crypto(error.to_string()))?;
        let password = ours.password().to_owned();
        let proof = MessageIntegrity::new_short_term_integrity_with_provider(password, crypto.crypto());
        let mut message = Message::new();
        let transaction = Box::new(self.request.transaction_id);
        message.build(&[kind, transaction, said, Box::new(proof), Box::new(FINGERPRINT)])?;
        Ok(message.raw)
    }
}
