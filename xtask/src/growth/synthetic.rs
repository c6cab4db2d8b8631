//! A spec of any number of operations, as a venue might have it: lists in pages, reads by id, orders, batches, settings,
//! keys. Every ten operations are about one subject and stand in one file, with types of their own, so that a spec grows as
//! real ones do.

use std::fmt::Write as _;
use std::path::Path;

/// The operations of one subject, in the order in which they are taken: path and operation.
const OPERATIONS: [(&str, &str); 10] = [
    (
        "/subject/entries",
        "    get:
      operationId: ListSubjectEntries
      tags: [subject]
      summary: All entries
      description: Newest first.
      x-retry: safe
      x-rate: { bucket: read, cost: 1 }
      x-page: { style: cursor, param: cursor, next: cursor, items: entries }
      parameters:
        - { name: cursor, in: query, schema: { type: string }, description: Where the page before this one ended. }
        - { name: side, in: query, schema: { $ref: '#/schemas/SubjectSide' }, description: Only those of one side. }
        - { name: limit, in: query, schema: { type: integer }, description: How many on a page. }
        - { name: after, in: query, schema: { type: integer, format: unix-ms }, description: Only what is newer. }
      responses:
        '200':
          description: A page.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectEntries' } } }
",
    ),
    (
        "/subject/entries/{entry_id}",
        "    get:
      operationId: GetSubjectEntry
      tags: [subject]
      summary: One entry
      x-retry: safe
      x-rate: { bucket: read, cost: 1 }
      parameters:
        - { name: entry_id, in: path, required: true, schema: { $ref: '#/schemas/SubjectId' } }
      responses:
        '200':
          description: The entry.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectEntry' } } }
",
    ),
    (
        "/subject/new",
        "    post:
      operationId: CreateSubjectEntry
      tags: [subject]
      summary: Make an entry
      description: The same client_id is taken once.
      x-retry: { keyed: { field: client_id } }
      x-reconcile: ListSubjectEntries
      x-rate: { bucket: write, cost: 10 }
      x-scope: write
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/schemas/SubjectNewEntry' } } }
      responses:
        '201':
          description: It is made.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectEntry' } } }
",
    ),
    (
        "/subject/entries/{entry_id}/end",
        "    delete:
      operationId: DeleteSubjectEntry
      tags: [subject]
      summary: End an entry
      x-retry: never
      x-reconcile: ListSubjectEntries
      x-rate: { bucket: write, cost: 2 }
      x-scope: write
      parameters:
        - { name: entry_id, in: path, required: true, schema: { $ref: '#/schemas/SubjectId' } }
        - { name: account, in: query, schema: { type: integer }, description: Number of the account. }
      responses:
        '204': { description: It is ended. }
",
    ),
    (
        "/subject/entries/{entry_id}/change",
        "    post:
      operationId: ChangeSubjectEntry
      tags: [subject]
      summary: Change an entry
      x-retry: never
      x-reconcile: ListSubjectEntries
      x-rate: { bucket: write, cost: 10 }
      x-scope: write
      parameters:
        - { name: entry_id, in: path, required: true, schema: { $ref: '#/schemas/SubjectId' } }
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/schemas/SubjectChange' } } }
      responses:
        '200':
          description: The entry as it is now.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectEntry' } } }
",
    ),
    (
        "/subject/batch",
        "    post:
      operationId: BatchCreateSubjectEntries
      tags: [subject]
      summary: Make several entries
      description: Each is made or refused for itself.
      x-retry: never
      x-reconcile: ListSubjectEntries
      x-rate: { bucket: write, cost: 10, per-item: entries }
      x-scope: write
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/schemas/SubjectBatch' } } }
      responses:
        '200':
          description: What became of each.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectBatchResult' } } }
",
    ),
    (
        "/subject/settings",
        "    put:
      operationId: SetSubjectSettings
      tags: [subject]
      summary: Change the settings
      x-retry: never
      x-reconcile: ListSubjectEntries
      x-rate: { bucket: write, cost: 1 }
      x-scope: write
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/schemas/SubjectSettings' } } }
      responses:
        '200':
          description: The settings as they are now.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectSettings' } } }
",
    ),
    (
        "/subject/history",
        "    get:
      operationId: GetSubjectHistory
      tags: [subject]
      summary: What happened
      x-retry: safe
      x-rate: { bucket: read, cost: 5 }
      x-page: { style: page, param: page, last: pagination.last, items: steps }
      parameters:
        - { name: page, in: query, schema: { type: integer }, description: 'Page, from 1.' }
        - { name: state, in: query, schema: { $ref: '#/schemas/SubjectState' }, description: Only one state. }
      responses:
        '200':
          description: A page.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectHistory' } } }
",
    ),
    (
        "/subject/keys",
        "    post:
      operationId: CreateSubjectKey
      tags: [subject]
      summary: Make a key
      x-retry: never
      x-reconcile: ListSubjectEntries
      x-rate: { bucket: write, cost: 1 }
      x-scope: keys
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/schemas/SubjectNewKey' } } }
      responses:
        '201':
          description: The key. Its secret is shown once.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectKey' } } }
",
    ),
    (
        "/subject/totals",
        "    get:
      operationId: GetSubjectTotals
      tags: [subject]
      summary: Totals
      x-retry: safe
      x-rate: { bucket: read, cost: 1 }
      security: []
      responses:
        '200':
          description: Totals by currency.
          content: { application/json: { schema: { $ref: '#/schemas/SubjectTotals' } } }
",
    ),
];

/// Members that each operation also has.
const ERRORS: &str = "        4XX: { description: Refused, content: { application/json: { schema: { $ref: 'common.yaml#/schemas/ApiError' } } } }
        5XX: { description: Failed, content: { application/json: { schema: { $ref: 'common.yaml#/schemas/ApiError' } } } }
";

/// The types of one subject. Those that none of its operations uses are left out.
const SCHEMAS: [(&str, &str); 16] = [
    (
        "SubjectBatch",
        "{ type: object, required: [entries], properties: { entries: { type: array, items: { $ref: '#/schemas/SubjectNewEntry' } } } }",
    ),
    (
        "SubjectBatchResult",
        "{ type: object, required: [rows], properties: { rows: { type: array, items: { $ref: '#/schemas/SubjectBatchRow' } } } }",
    ),
    (
        "SubjectBatchRow",
        "
    type: object
    properties:
      entry: { $ref: '#/schemas/SubjectEntry' }
      problem: { type: string, description: Why it was refused. }",
    ),
    (
        "SubjectChange",
        "
    type: object
    required: [price]
    description: What an entry becomes.
    properties:
      price: { type: string, format: decimal, description: Dollars. }
      amount: { type: string, format: decimal, description: How much. }
      until: { type: integer, format: unix-s, description: When it ends. }",
    ),
    (
        "SubjectEntries",
        "
    type: object
    required: [entries]
    properties:
      cursor: { type: string, description: Where the next page begins. }
      entries: { type: array, items: { $ref: '#/schemas/SubjectEntry' } }",
    ),
    (
        "SubjectEntry",
        "
    type: object
    required: [entry_id]
    description: One entry.
    properties:
      entry_id: { $ref: '#/schemas/SubjectId' }
      client_id: { type: string, description: Name that the caller chose. }
      side: { $ref: '#/schemas/SubjectSide' }
      state: { $ref: '#/schemas/SubjectState' }
      price: { type: string, format: decimal, description: Dollars. }
      amount: { type: number, format: decimal, description: How much. }
      made: { type: integer, format: unix-ms, description: When it was made. }
      changed: { type: string, format: date-time, description: When it was changed last. }
      rank: { type: integer, description: Place in the queue. }
      hidden: { type: boolean, description: Whether others see it. }
      labels: { type: array, items: { type: string }, description: Words of the caller. }
      legs: { type: array, items: { $ref: '#/schemas/SubjectLeg' } }",
    ),
    (
        "SubjectHistory",
        "
    type: object
    required: [steps]
    properties:
      pagination: { $ref: 'common.yaml#/schemas/Pagination' }
      steps: { type: array, items: { $ref: '#/schemas/SubjectStep' } }",
    ),
    ("SubjectId", "{ type: string, pattern: '^[A-Za-z0-9_-]{1,64}$', description: Id of an entry. }"),
    (
        "SubjectKey",
        "
    type: object
    required: [key_id, secret]
    properties:
      key_id: { type: string, description: Id of the key. }
      secret: { type: string, format: secret, description: What signs. }",
    ),
    (
        "SubjectLeg",
        "
    type: object
    description: One part of an entry.
    properties:
      ticker: { type: string, description: What it is of. }
      ratio: { type: integer, description: How many for one entry. }
      price: { type: string, format: decimal, description: Dollars. }",
    ),
    (
        "SubjectNewEntry",
        "
    type: object
    required: [client_id, side, price]
    description: An entry to be made.
    properties:
      client_id: { type: string, minLength: 1, maxLength: 64, description: Name chosen by the caller. }
      side: { $ref: '#/schemas/SubjectSide' }
      price: { type: string, format: decimal, description: Dollars. }
      amount: { type: string, format: decimal, description: How much. }
      hidden: { type: boolean, description: Whether others see it. }
      labels: { type: array, items: { type: string }, description: Words of the caller. }",
    ),
    (
        "SubjectNewKey",
        "
    type: object
    required: [name]
    properties:
      name: { type: string, description: Name of the key. }
      scopes: { type: array, items: { type: string }, description: What it may do. }",
    ),
    (
        "SubjectSettings",
        "
    type: object
    properties:
      default_side: { $ref: '#/schemas/SubjectSide' }
      largest: { type: string, format: decimal, description: Most of one entry. }
      quiet: { type: boolean, description: Whether no messages are sent. }",
    ),
    ("SubjectSide", "{ type: string, enum: [buy, sell, both], description: Side. }"),
    ("SubjectState", "{ type: string, enum: [open, waiting, done, refused], description: State. }"),
    (
        "SubjectStep",
        "
    type: object
    properties:
      entry_id: { $ref: '#/schemas/SubjectId' }
      state: { $ref: '#/schemas/SubjectState' }
      at: { type: integer, format: unix-ms, description: When. }",
    ),
];

/// By currency, which has a name of its own like the others.
const TOTALS: &str =
    "{ type: object, description: By currency., additionalProperties: { type: string, format: decimal } }";

const ROOT: &str = "openapi: 3.0.3
info: { title: Synthetic, version: '1', description: Made by a program to see how things grow. }
servers:
  - { url: 'https://synthetic.test', x-environment: test }
security: [{ key: [] }]
x-errors: { code: [/code], message: [/message] }
x-buckets:
  read: [{ tier: basic, refill: 20, capacity: 60 }]
  write: [{ tier: basic, refill: 10, capacity: 100 }]
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key, x-credential: key, x-carries: secret }
paths:
";

const COMMON: &str = "schemas:
  ApiError:
    type: object
    properties:
      code: { type: string, description: Code. }
      message: { type: string, description: Text for people. }
";

const PAGINATION: &str =
    "  Pagination: { type: object, properties: { last: { type: integer, description: Number of the last page. } } }
";

/// The files of a spec of so many operations: name and text.
pub fn files(operations: usize) -> Vec<(String, String)> {
    let mut root = ROOT.to_owned();
    let mut files = Vec::new();
    for number in 0..operations.div_ceil(OPERATIONS.len()) {
        let taken = OPERATIONS.len().min(operations - number * OPERATIONS.len());
        let (lower, upper) = (format!("subject{number}"), format!("Subject{number}"));
        let name = format!("{lower}.yaml");
        let own = |text: &str| text.replace("subject", &lower).replace("Subject", &upper);
        for (path, _) in &OPERATIONS[..taken] {
            let path = own(path);
            let _ = writeln!(root, "  '{path}': {{ $ref: '{name}#/paths/{}' }}", path.replace('/', "~1"));
        }
        files.push((name, own(&subject(taken))));
    }
    let paged = operations >= 8;
    files.push(("common.yaml".to_owned(), format!("{COMMON}{}", if paged { PAGINATION } else { "" })));
    files.push(("openapi.yaml".to_owned(), root));
    files.push(("sources.md".to_owned(), "Nothing: no venue is like this.\n".to_owned()));
    files
}

/// The file of a subject that has the first operations only.
fn subject(operations: usize) -> String {
    let mut text = "paths:\n".to_owned();
    for (path, operation) in &OPERATIONS[..operations] {
        let _ = write!(text, "  '{path}':\n{operation}{ERRORS}");
    }
    let all: Vec<(&str, &str)> = SCHEMAS.into_iter().chain([("SubjectTotals", TOTALS)]).collect();
    let mut used: Vec<(&str, &str)> = Vec::new();
    let mut texts = vec![text.as_str()];
    while let Some(next) = texts.pop() {
        for (name, schema) in &all {
            if next.contains(&format!("#/schemas/{name}'")) && !used.contains(&(*name, *schema)) {
                used.push((name, schema));
                texts.push(schema);
            }
        }
    }
    used.sort_unstable();
    let mut schemas = String::new();
    for (name, schema) in used {
        let _ = writeln!(schemas, "  {name}: {schema}");
    }
    format!("{text}schemas:\n{schemas}")
}

/// Writes a spec into a folder, and takes away what was written there before.
pub fn write(folder: &Path, operations: usize) -> std::io::Result<()> {
    if folder.exists() {
        // Only what this program makes: a folder with anything else in it is not ours.
        let is_ours = std::fs::read_to_string(folder.join("openapi.yaml")).is_ok_and(|text| text.starts_with(ROOT));
        if !is_ours && std::fs::read_dir(folder)?.next().is_some() {
            let message = format!("{} is not empty and was not made by this command", folder.display());
            return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, message));
        }
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    for (name, text) in files(operations) {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{files, write};
    use crate::document::Document;
    use crate::emit::generate;
    use crate::lint::lint;
    use crate::model::operations;
    use crate::tests::Scratch;

    fn document(count: usize) -> Document {
        let scratch = Scratch::new();
        write(&scratch.path().join("specs/synthetic"), count).unwrap();
        Document::read(scratch.path(), "synthetic").unwrap_or_else(|findings| panic!("{count}: {}", findings[0]))
    }

    #[test]
    fn it_has_the_number_of_operations_and_no_mistakes() {
        for count in (1..=21).chain([137]) {
            let document = document(count);
            assert_eq!(lint(&document), [], "{count}");
            assert_eq!(operations(&document).len(), count);
        }
    }

    #[test]
    fn a_client_is_generated_of_it() {
        let generated = generate(&document(23)).unwrap();
        assert_eq!(generated.operations, 23);
        for part in ["pub fn create_subject1_entry(", "pub fn stream(self)", "pub struct Subject2Entry "] {
            assert!(generated.files["client.rs"].contains(part), "{part}");
        }
    }

    #[test]
    fn every_subject_costs_the_same() {
        let bytes = |count| files(count).iter().map(|(_, text)| text.len()).sum::<usize>();
        // Numbers of the same length.
        assert_eq!(bytes(1_020) - bytes(1_010), bytes(2_020) - bytes(2_010));
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let scratch = Scratch::new();
        scratch.write("mine/notes.txt", "mine");
        assert!(write(&scratch.path().join("mine"), 3).is_err());
        assert!(scratch.path().join("mine/notes.txt").is_file());
        write(&scratch.path().join("new"), 30).unwrap();
        write(&scratch.path().join("new"), 3).unwrap();
        assert!(!scratch.path().join("new/subject1.yaml").exists(), "the larger one is gone");
    }
}
