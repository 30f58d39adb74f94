use super::entry::{Entry, PRIORITIES, Remains};

/// So many entries of one priority are allocated together: they lie in memory in the order of their arrival, which is nearly
/// that in which they are claimed.
const CHUNK: usize = 128;
/// Upkeep frees at most so many chunks at a time.
const FREED_AT_ONCE: usize = 64;

#[derive(Debug)]
struct Chunk {
    slots: Box<[Option<Entry>]>,
    len: usize,
    /// For which priority it was made.
    priority: usize,
}

/// Entries by a small number, each at a place that does not move.
#[derive(Debug, Default)]
pub(super) struct Arena {
    chunks: Vec<Chunk>,
    /// The free numbers in the chunks of each priority.
    free: [Vec<u32>; PRIORITIES],
    /// Numbers of chunks that were given back.
    without_slots: Vec<usize>,
}

impl Arena {
    pub(super) fn get(&self, key: u32) -> Option<&Entry> {
        self.chunks.get(key as usize / CHUNK)?.slots.get(key as usize % CHUNK)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: u32) -> Option<&mut Entry> {
        self.chunks.get_mut(key as usize / CHUNK)?.slots.get_mut(key as usize % CHUNK)?.as_mut()
    }

    /// Adds the entry that `make` makes for its number. It is made where it stays, because it is large.
    #[inline(always)]
    pub(super) fn insert(&mut self, priority: usize, make: impl FnOnce(u32) -> Entry) -> u32 {
        let key = self.free[priority].pop().unwrap_or_else(|| self.grow(priority));
        let chunk = &mut self.chunks[key as usize / CHUNK];
        chunk.len += 1;
        let slot = &mut chunk.slots[key as usize % CHUNK];
        debug_assert!(slot.is_none(), "a free number names no entry");
        // Looked at, so that nothing has to be dropped between the making and the placing.
        if slot.is_none() {
            *slot = Some(make(key));
        }
        key
    }

    #[inline(always)]
    pub(super) fn remove(&mut self, key: u32) -> Option<Remains> {
        let chunk = self.chunks.get_mut(key as usize / CHUNK)?;
        let remains = Remains::from(chunk.slots.get_mut(key as usize % CHUNK)?.take()?);
        chunk.len -= 1;
        self.free[chunk.priority].push(key);
        Some(remains)
    }

    #[allow(clippy::cast_possible_truncation, reason = "memory ends long before 2^32 records")]
    fn grow(&mut self, priority: usize) -> u32 {
        let chunk = Chunk { slots: std::iter::repeat_with(|| None).take(CHUNK).collect(), len: 0, priority };
        let number = match self.without_slots.pop() {
            Some(number) => {
                self.chunks[number] = chunk;
                number
            }
            None => {
                self.chunks.push(chunk);
                self.chunks.len() - 1
            }
        };
        let first = (number * CHUNK) as u32;
        self.free[priority].extend((first + 1..first + CHUNK as u32).rev());
        first
    }

    /// Gives memory back that a burst left behind.
    pub(super) fn shrink(&mut self) {
        let free = self.free.iter().map(Vec::len).sum::<usize>();
        let len = self.chunks.len().saturating_sub(self.without_slots.len()) * CHUNK - free;
        if free < len.max(8 * CHUNK) {
            return;
        }
        let mut freed = Vec::new();
        let unused = self.chunks.iter_mut().enumerate();
        for (number, chunk) in unused.filter(|(_, it)| it.len == 0 && !it.slots.is_empty()).take(FREED_AT_ONCE) {
            chunk.slots = Box::default();
            freed.push(number);
        }
        for free in &mut self.free {
            free.retain(|key| !self.chunks[*key as usize / CHUNK].slots.is_empty());
            free.shrink_to(free.len() * 2);
        }
        self.without_slots.extend(freed);
    }
}
