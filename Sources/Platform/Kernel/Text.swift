/// The two languages of the product. Chinese is the default; every text has both.
package enum Language: String, Sendable, CaseIterable, Codable {
  case chinese = "zh-CN"
  case english = "en"

  package func callAsFunction(_ chinese: String, _ english: String) -> String { self == .chinese ? chinese : english }
  package func callAsFunction(_ text: Text) -> String { self == .chinese ? text.chinese : text.english }
}

/// What a person reads, in both languages at once, so that neither can be forgotten.
package struct Text: Hashable, Sendable {
  package var chinese: String
  package var english: String

  package init(_ chinese: String, _ english: String) {
    self.chinese = chinese
    self.english = english
  }

  /// The same in both languages: a name, a code, a number.
  package init(same text: String) { self.init(text, text) }
}
