//! How many files, and so how many clients, the operating system lets the server have open.

use rlimit::{Resource, getrlimit, setrlimit};

/// Files that the server needs open beside its clients.
const RESERVED: u64 = 32;

/// Makes room for so many clients, or as many as are allowed; returns for how many there is room.
pub fn make_room(clients: usize) -> usize {
    let wanted = clients as u64 + RESERVED;
    let Ok((soft, hard)) = getrlimit(Resource::NOFILE) else { return clients };
    if soft >= wanted {
        return clients;
    }
    // Only root may raise the hard limit; everybody may go up to it.
    let raised = [(wanted, hard.max(wanted)), (hard, hard)]
        .into_iter()
        .find(|&(soft, hard)| setrlimit(Resource::NOFILE, soft, hard).is_ok())
        .map_or(soft, |(soft, _)| soft);
    raised.saturating_sub(RESERVED).clamp(1, clients as u64) as usize
}
