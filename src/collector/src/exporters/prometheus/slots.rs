//! Things by number, the numbers used again. Knows nothing of what it holds.

/// Things by number.
#[derive(Debug)]
pub(super) struct Slots<T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// The number it gets.
    pub(super) fn insert(&mut self, item: T) -> u32 {
        if let Some(free) = self.free.pop()
            && let Some(slot) = self.items.get_mut(free as usize)
        {
            *slot = Some(item);
            return free;
        }
        self.items.push(Some(item));
        // Limited to far fewer by `series_limit`.
        u32::try_from(self.items.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.items.get_mut(number as usize)?.as_mut()
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<T> {
        let item = self.items.get_mut(number as usize)?.take()?;
        self.free.push(number);
        Some(item)
    }

    /// Above all numbers in use.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.items.len()).unwrap_or(u32::MAX)
    }

    /// All there are, by their numbers.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.items).filter_map(|(number, item)| Some((number, item.as_ref()?)))
    }
}
