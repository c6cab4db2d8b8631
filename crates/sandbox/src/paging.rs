//! Pages of lists that change while they are read. A cursor names the last item of its page and not how many there were, so
//! that nothing is left out or comes twice where items end or begin between two pages.

/// Items of a list that only grows, the newest first, each with a key that rises from one to the next and stays.
pub(crate) fn newest_first<T>(items: &[T]) -> impl Iterator<Item = (i64, &T)> {
    items.iter().enumerate().rev().map(|(index, item)| (-key(index), item))
}

/// The same with the oldest first.
pub(crate) fn oldest_first<T>(items: &[T]) -> impl Iterator<Item = (i64, &T)> {
    items.iter().enumerate().map(|(index, item)| (key(index), item))
}

/// The key of an item by its place in a list that only grows.
pub(crate) fn key(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// The items of a page that come after a key, and the key of the last one where there are more. Keys rise.
pub(crate) fn page_after<K: Ord, T>(
    items: impl Iterator<Item = (K, T)>,
    after: Option<&K>,
    size: usize,
) -> (Vec<T>, Option<K>) {
    let mut rest = items.skip_while(|(key, _)| after.is_some_and(|after| key <= after));
    let (mut page, mut last) = (Vec::new(), None);
    for (key, item) in rest.by_ref().take(size) {
        page.push(item);
        last = Some(key);
    }
    let has_more = rest.next().is_some();
    (page, last.filter(|_| has_more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_after_an_item_that_is_gone() {
        let keys = [1, 2, 3, 5, 8];
        let list = |gone: &'static [i32]| keys.into_iter().filter(move |key| !gone.contains(key)).map(|key| (key, key));
        assert_eq!(page_after(list(&[]), None, 2), (vec![1, 2], Some(2)));
        assert_eq!(page_after(list(&[1, 2]), Some(&2), 2), (vec![3, 5], Some(5)));
        assert_eq!(page_after(list(&[1, 2, 3, 5]), Some(&5), 2), (vec![8], None));
        assert_eq!(page_after(list(&[]), Some(&8), 2), (Vec::new(), None));
        let newest: Vec<_> = newest_first(&["a", "b"]).collect();
        assert_eq!(newest, [(-1, &"b"), (0, &"a")]);
    }
}
