//! Which types of two documents stand for the same thing: those of the same operation, member by member.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Surface, Type, TypeId, Use};

/// Whether a type is sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// The client sends it.
    Request,
    /// The venue sends it.
    Response,
}

/// Two types that are compared, and who uses them.
pub struct Root {
    /// In the first document.
    pub one: Use,
    /// In the second one.
    pub other: Use,
    /// Who sends it.
    pub direction: Direction,
    /// The operation or channel.
    pub user: String,
    /// What it is called where the type has no name.
    pub place: String,
}

/// All pairs that roots lead to.
#[derive(Default)]
pub struct Pairs {
    /// For each type of the first document those of the second one.
    pub others: BTreeMap<(TypeId, Direction), BTreeSet<TypeId>>,
    /// Operations and channels that a pair is part of.
    users: HashMap<(TypeId, TypeId, Direction), BTreeSet<String>>,
    /// What types of the first document are called.
    places: HashMap<TypeId, String>,
}

impl Pairs {
    /// Follows the members of both documents' types.
    pub fn of(one: &Surface, other: &Surface, roots: &[Root]) -> Self {
        let mut pairs = Self::default();
        for root in roots {
            pairs.add(one, other, root);
        }
        pairs
    }

    fn add(&mut self, one: &Surface, other: &Surface, root: &Root) {
        let mut todo = vec![(root.one.id, root.other.id, root.place.clone())];
        let mut seen = BTreeSet::new();
        while let Some((left, right, place)) = todo.pop() {
            if !seen.insert((left, right)) {
                continue;
            }
            self.others.entry((left, root.direction)).or_default().insert(right);
            self.users.entry((left, right, root.direction)).or_default().insert(root.user.clone());
            let own = one.of(left).name.clone().unwrap_or(place);
            self.places.entry(left).or_insert_with(|| own.clone());
            children(one.of(left), other.of(right), |step, left, right| {
                todo.push((left.id, right.id, format!("{own}{step}")));
            });
        }
    }

    /// What a type of the first document is called in reports.
    pub fn place(&self, id: TypeId) -> &str {
        self.places.get(&id).map_or("", String::as_str)
    }

    /// Who uses a pair.
    pub fn users(
        &self,
        one: TypeId,
        others: impl IntoIterator<Item = TypeId>,
        direction: Direction,
    ) -> BTreeSet<String> {
        others.into_iter().filter_map(|other| self.users.get(&(one, other, direction))).flatten().cloned().collect()
    }
}

/// The parts of two types that stand for the same thing.
fn children(one: &Type, other: &Type, mut each: impl FnMut(String, Use, Use)) {
    for field in &one.fields {
        if let Some(same) = other.field(&field.name) {
            each(format!(".{}", field.name), field.value, same.value);
        }
    }
    if let Some(entries) = one.entries {
        if let Some(same) = other.entries {
            each(".*".to_owned(), entries, same);
        }
        if one.fields.is_empty() {
            other.fields.iter().for_each(|field| each(".*".to_owned(), entries, field.value));
        }
    }
    if let (Some(items), Some(same)) = (one.items, other.items) {
        each("[]".to_owned(), items, same);
    }
    for (index, element) in one.tuple.iter().enumerate() {
        if let Some(same) = other.tuple.get(index).copied().or(other.items.filter(|_| other.tuple.is_empty())) {
            each(format!("[{index}]"), *element, same);
        }
    }
}
