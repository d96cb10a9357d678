package import Kernel
package import Storage

/// What the codes of one context are called: the log keeps codes, people read words.
package struct AuditVocabulary: Sendable {
  package typealias Word = (code: String, title: Text)

  /// The context's part of every action's code, `sharing`, and what it is called.
  package var area: Word
  /// In the order in which a search offers them.
  package var actions: [Word]
  /// Kinds of subjects.
  package var subjects: [Word]
  /// Names of details.
  package var details: [Word]
  /// What a detail's value stands for, where it is a code.
  package var value: @Sendable (_ detail: String, _ value: String) -> Text?

  package init(
    area: Word, actions: [Word], subjects: [Word] = [], details: [Word] = [],
    value: @escaping @Sendable (_ detail: String, _ value: String) -> Text? = { _, _ in nil }
  ) {
    self.value = value
    self.area = area
    self.actions = actions
    self.subjects = subjects
    self.details = details
  }
}

/// Everything the log's pages know of what stands above the log: declared here, filled in by App.
package struct AuditWords: Sendable {
  package let vocabularies: [AuditVocabulary]
  /// Whose name or sign-in name this is.
  package let people: @Sendable (_ name: String, any Transaction) throws -> [PersonID]
  /// What this person is called.
  package let name: @Sendable (PersonID, any Transaction) throws -> String?
  /// The id of the grant with this number.
  package let grant: @Sendable (_ number: String, any Transaction) throws -> String?
  /// The number of the grant with this id.
  package let number: @Sendable (_ grant: String, any Transaction) throws -> String?
  private let titles: [String: Text]
  private let subjects: [String: Text]
  private let details: [String: [String: Text]]

  package init(
    _ vocabularies: [AuditVocabulary], people: @escaping @Sendable (String, any Transaction) throws -> [PersonID],
    name: @escaping @Sendable (PersonID, any Transaction) throws -> String?,
    grant: @escaping @Sendable (String, any Transaction) throws -> String?,
    number: @escaping @Sendable (String, any Transaction) throws -> String?
  ) {
    self.name = name
    self.number = number
    self.vocabularies = vocabularies
    self.people = people
    self.grant = grant
    func table(_ words: [AuditVocabulary.Word]) -> [String: Text] {
      Dictionary(words.map { ($0.code, $0.title) }, uniquingKeysWith: { first, _ in first })
    }
    titles = table(vocabularies.flatMap(\.actions))
    subjects = table(vocabularies.flatMap(\.subjects))
    details = Dictionary(
      vocabularies.map { ($0.area.code, table($0.details)) }, uniquingKeysWith: { first, _ in first })
  }

  /// Nil for a code that no vocabulary has.
  package func action(_ code: String) -> Text? { titles[code] }
  func subject(_ kind: String) -> Text { subjects[kind] ?? Text(same: kind) }
  func detail(_ name: String, of action: String) -> Text {
    if name == AuditPayload.tokenDetail { return Text("使用应用令牌", "With application token") }
    return details[String(action.prefix { $0 != "." })]?[name] ?? Text(same: name)
  }
  func value(_ pair: AuditPayload.Pair, of action: String) -> Text? {
    let area = String(action.prefix { $0 != "." })
    return vocabularies.first { $0.area.code == area }?.value(pair.name, pair.value)
  }

  /// The names of whom records speak by id alone: of those in whose name somebody acted, and in details.
  func names(in records: [AuditRecord], _ tx: any Transaction) throws -> [String: String] {
    let ids = records.flatMap { record in
      [record.payload?.onBehalfOf].compactMap { $0 } + (record.payload?.detail.map(\.value) ?? [])
    }
    return try Set(ids).reduce(into: [:]) { names, text in
      if let id = PersonID(text) { names[text] = try name(id, tx) }
    }
  }
}
