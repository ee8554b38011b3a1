//! A socket whose datagrams bear the time at which the kernel got them, so
//! that they may be read later.
#![expect(unsafe_code, reason = "the standard library has no such socket")]

use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use socket2::SockAddr;

use crate::clock;

/// Words for the kernel's notes on a datagram: one timestamp with its head.
const NOTE_WORDS: usize = 8;

/// A socket with timestamps.
#[derive(Debug)]
pub(crate) struct StampedSocket(UdpSocket);

/// A datagram that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamped {
    pub(crate) size_bytes: usize,
    pub(crate) source: SocketAddr,
    /// How long it has waited to be read.
    pub(crate) age: Duration,
}

impl StampedSocket {
    /// Has the kernel stamp what arrives at `socket`.
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let on: libc::c_int = 1;
        // SAFETY: `on` is valid for reads of the size that is said.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_TIMESTAMPNS,
                (&raw const on).cast(),
                size_of_val(&on) as libc::socklen_t,
            )
        };
        if result == 0 { Ok(Self(socket)) } else { Err(io::Error::last_os_error()) }
    }

    /// Reads the next datagram to the start of `datagram`.
    pub(crate) fn receive(&self, datagram: &mut [u8]) -> io::Result<Stamped> {
        let mut notes = [0_u64; NOTE_WORDS];
        let mut parts = libc::iovec { iov_base: datagram.as_mut_ptr().cast(), iov_len: datagram.len() };
        // SAFETY: zeros are a valid msghdr, which names nothing.
        let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        message.msg_iov = &raw mut parts;
        message.msg_iovlen = 1;
        message.msg_control = notes.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&notes) as _;
        // SAFETY: `message` points to `datagram` and `notes` with their sizes,
        // which outlive the call, and to the storage for the address; the
        // kernel sets the length of the address that it has written there.
        let (size_bytes, source) = unsafe {
            SockAddr::try_init(|storage, length| {
                message.msg_name = storage.cast();
                message.msg_namelen = *length;
                let size_bytes = libc::recvmsg(self.0.as_raw_fd(), &raw mut message, 0);
                *length = message.msg_namelen;
                usize::try_from(size_bytes).map_err(|_| io::Error::last_os_error())
            })
        }?;
        let source = source.as_socket().ok_or(io::ErrorKind::InvalidData)?;
        let age = arrival(&message).map_or(Duration::ZERO, |arrival| clock::wall().saturating_sub(arrival));
        Ok(Stamped { size_bytes, source, age })
    }

    /// Sends a datagram.
    pub(crate) fn send(&self, datagram: &[u8], destination: SocketAddr) -> io::Result<usize> {
        self.0.send_to(datagram, destination)
    }
}

/// The wall clock time that is noted in a message just received.
fn arrival(message: &libc::msghdr) -> Option<Duration> {
    // SAFETY: the kernel has filled the message's notes and set their length;
    // the first is checked to be there and to be a timestamp before it is read.
    let time = unsafe {
        let note = libc::CMSG_FIRSTHDR(message).as_ref()?;
        if (note.cmsg_level, note.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) {
            return None;
        }
        libc::CMSG_DATA(note).cast::<libc::timespec>().read_unaligned()
    };
    Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "real sockets are tested in real time")]
    fn a_datagram_knows_how_long_it_has_waited() {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (sender, receiver) = (bind(), bind());
        receiver.set_nonblocking(true).unwrap();
        let to = receiver.local_addr().unwrap();
        let receiver = StampedSocket::new(receiver).unwrap();
        let mut datagram = [0; 8];
        assert_eq!(receiver.receive(&mut datagram).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut waited = || {
            sender.send_to(b"hello", to).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            let Stamped { size_bytes, source, age } = receiver.receive(&mut datagram).unwrap();
            assert_eq!((&datagram[..size_bytes], source), (&b"hello"[..], sender.local_addr().unwrap()));
            age
        };
        // The kernel begins to stamp some time after the first socket asks for it.
        let age = (0..40).map(|_| waited()).find(|age| *age >= Duration::from_millis(50));
        assert!(age.is_some_and(|age| age < Duration::from_secs(2)), "{age:?}");
    }
}
