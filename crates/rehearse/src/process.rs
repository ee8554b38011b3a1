//! What the server costs this machine, from `/proc`.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use mixminus_sip::Transport;

/// Length of the clock tick in which Linux counts processor time for programs, on every machine.
const CLOCK_TICK: Duration = Duration::from_millis(10);
/// State of a listening TCP socket.
const LISTENING: &str = "0A";

/// What a process has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time, user and system.
    pub(crate) cpu: Duration,
    /// Resident memory.
    pub(crate) rss_bytes: u64,
    pub(crate) threads: u64,
}

/// Reads the usage of a process; `None` when there is no such process.
pub(crate) fn usage(pid: u32) -> Option<Usage> {
    let cpu = cpu(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Usage { cpu, rss_bytes: 1024 * number(&status, "VmRSS:")?, threads: number(&status, "Threads:")? })
}

/// The process that listens on an address of this machine.
pub(crate) fn listener(address: SocketAddr, transport: Transport) -> Option<u32> {
    let tables = ["", "6"].map(|family| format!("/proc/net/{transport}{family}"));
    let inodes: HashSet<_> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| inodes(&table, address, transport))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let pids =
        fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| holds(*pid, &inodes)).min()
}

fn holds(pid: u32, inodes: &HashSet<String>) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let links = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.into_iter().any(|link| link.to_str().is_some_and(|link| inodes.contains(link)))
}

/// The sockets of a `/proc/net` table that receive what is sent to `address`.
fn inodes(table: &str, address: SocketAddr, transport: Transport) -> Vec<String> {
    let matches = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, state) = (fields.next()?, fields.nth(1)?);
        let inode = fields.nth(5)?;
        let (ip, port) = local.split_once(':')?;
        let listens = transport == Transport::Udp || state == LISTENING;
        let port = u16::from_str_radix(port, 16).ok()?;
        (listens && port == address.port() && is_for(ip, address.ip())).then(|| inode.to_owned())
    };
    table.lines().filter_map(matches).collect()
}

/// Whether the kernel's spelling of an address means `ip` or any address.
fn is_for(hex: &str, ip: IpAddr) -> bool {
    let any = hex.bytes().all(|digit| digit == b'0');
    let same = match (u32::from_str_radix(hex, 16), ip) {
        (Ok(bits), IpAddr::V4(ip)) => Ipv4Addr::from(bits.to_le_bytes()) == ip,
        _ => false,
    };
    any || same || (hex.len() == 32 && ip.is_ipv6())
}

fn cpu(stat: &str) -> Option<Duration> {
    // The name of the program, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(CLOCK_TICK * user.saturating_add(system))
}

/// The number, with or without a unit, of a line of a process's status.
fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  101: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4242 2 0000000000000000 0
  102: 00000000:13C5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4243 2 0000000000000000 0
";

    #[test]
    fn a_socket_is_found_by_its_address() {
        let find = |address: &str| inodes(UDP, address.parse().unwrap(), Transport::Udp);
        assert_eq!(find("127.0.0.1:5060"), ["4242"]);
        assert_eq!(find("192.0.2.1:5061"), ["4243"]);
        assert!(find("192.0.2.1:5060").is_empty() && find("127.0.0.1:5062").is_empty());
        let tcp = inodes(UDP, "127.0.0.1:5060".parse().unwrap(), Transport::Tcp);
        assert!(tcp.is_empty(), "not listening");
    }

    #[test]
    fn processor_time_is_read_past_any_program_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1750)));
        assert_eq!(cpu("7 (a) S"), None);
    }

    #[test]
    fn memory_and_threads_are_read_from_the_status() {
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t12\n";
        assert_eq!((number(status, "VmRSS:"), number(status, "Threads:")), (Some(2048), Some(12)));
        assert_eq!(number(status, "VmSwap:"), None);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test owns the socket that is to be found")]
    fn this_process_is_found_by_its_own_socket() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(listener(socket.local_addr().unwrap(), Transport::Udp), Some(std::process::id()));
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.rss_bytes > 0 && usage.threads > 0);
    }
}
