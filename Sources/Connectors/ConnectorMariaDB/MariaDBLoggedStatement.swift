/// What a statement in the log means for one table. Rows come as rows: statements are what makes and alters tables, and
/// what somebody has logged by their words although the server logs rows.
///
/// Where it is not certain that the table's rows stayed as they were, they are taken for changed: then they are read again.
struct MariaDBLoggedStatement {
  enum Meaning: Hashable {
    case nothing
    /// The transaction's end, for tables without transactions.
    case commit
    /// What came since the transaction began did not happen.
    case rollback
    /// What came since some point of it did not happen.
    case undo
    /// A prepared transaction's end (XA).
    case commitPrepared, rollbackPrepared
    case truncate
    /// The table may have another shape now; its rows are the same.
    case reshape
    /// The rows may have changed, and the log does not say how.
    case rewrite
  }

  private struct Name: Hashable {
    var database: String?
    var table: String
  }

  let database: String
  let table: String
  let columns: [String]
  /// The server takes names in capitals and small letters for the same.
  let foldsNames: Bool

  func meaning(_ text: String, in current: String) -> Meaning {
    var scanner = Scanner(text)
    guard let first = scanner.word() else { return .nothing }
    let words = Self.words(text)
    switch first {
    case "commit": return .commit
    case "rollback": return words.contains("to") ? .undo : .rollback
    case "xa":
      return scanner.skip("commit") ? .commitPrepared : scanner.skip("rollback") ? .rollbackPrepared : .nothing
    case "truncate":
      scanner.skip("table")
      return isOurs(scanner.name(), current) ? .truncate : .nothing
    case "create":
      let replaces = scanner.skip("or", "replace")
      if scanner.skip("temporary") { return .nothing }
      if scanner.skip("table") {
        scanner.skip("if", "not", "exists")
        return isOurs(scanner.name(), current) ? .rewrite : .nothing
      }
      return replaces && dropsDatabase(&scanner) ? .rewrite : .nothing
    case "drop":
      if scanner.skip("temporary") { return .nothing }
      if scanner.skip("table") || scanner.skip("tables") { return namesOurs(&scanner, current) ? .rewrite : .nothing }
      return dropsDatabase(&scanner) ? .rewrite : .nothing
    case "rename":
      guard scanner.skip("table") || scanner.skip("tables") else { return .nothing }
      return namesOurs(&scanner, current) ? .rewrite : .nothing
    case "alter":
      scanner.skip("online")
      let ignores = scanner.skip("ignore")
      guard scanner.skip("table") else { return .nothing }
      scanner.skip("if", "exists")
      guard isOurs(scanner.name(), current) else {
        return words.contains("exchange") && mentions(table, words) ? .rewrite : .nothing
      }
      return ignores || rewrites(words) ? .rewrite : .reshape
    case "begin", "start", "savepoint", "release", "set", "use", "flush", "analyze", "optimize", "repair", "check",
      "grant",
      "revoke", "lock", "unlock", "kill", "install", "uninstall", "comment", "cache", "shutdown", "purge", "reset":
      return .nothing
    default:
      let mayBeOurs = folded(current) == folded(database) || mentions(database, words)
      return mayBeOurs && mentions(table, words) ? .rewrite : .nothing
    }
  }

  // MARK: Alterations

  private static let rewriting: Set<String> = [
    "partition", "partitions", "partitioning", "exchange", "discard", "import", "convert", "versioning", "period",
  ]

  /// Whether an alteration of the table may touch what its granted columns hold, without a word of it in the log.
  private func rewrites(_ words: [String]) -> Bool {
    if words.contains(where: { Self.rewriting.contains($0) }) { return true }
    let mentionsGranted = columns.contains { mentions($0, words) }
    if mentionsGranted, words.contains(where: { ["modify", "change", "drop"].contains($0) }) { return true }
    for (place, word) in words.enumerated() where word == "rename" {
      let next = place + 1 < words.count ? words[place + 1] : ""
      if next == "index" || next == "key" || (next == "column" && !mentionsGranted) { continue }
      return true
    }
    return false
  }

  private func dropsDatabase(_ scanner: inout Scanner) -> Bool {
    guard scanner.skip("database") || scanner.skip("schema") else { return false }
    scanner.skip("if", "exists")
    return scanner.name().map { folded($0.table) == folded(database) } ?? true
  }

  // MARK: Names

  private func folded(_ name: String) -> String { foldsNames ? name.lowercased() : name }

  /// A name that cannot be made out may be ours.
  private func isOurs(_ name: Name?, _ current: String) -> Bool {
    guard let name else { return true }
    return folded(name.table) == folded(table) && folded(name.database ?? current) == folded(database)
  }

  private func namesOurs(_ scanner: inout Scanner, _ current: String) -> Bool {
    scanner.skip("if", "exists")
    repeat { if isOurs(scanner.name(), current) { return true } } while scanner.skipsSeparator()
    return false
  }

  /// Letters and digits in one piece, in small letters, whatever stands around them: a word too many only means caution.
  static func words(_ text: some StringProtocol) -> [String] {
    text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "$") }.map(String.init)
  }

  private func mentions(_ name: String, _ words: [String]) -> Bool {
    let wanted = Self.words(name)
    guard let first = wanted.first else { return true }
    return words.indices.contains { words[$0] == first && words[$0...].starts(with: wanted) }
  }

  /// The beginning of a statement, word by word.
  private struct Scanner {
    private var rest: Substring.UnicodeScalarView

    init(_ text: String) { rest = text[...].unicodeScalars }

    /// Blanks and comments; what a comment has for this server counts as written.
    private mutating func skipBlanks() {
      while let first = rest.first {
        if first.properties.isWhitespace || first == ";" {
          rest.removeFirst()
        } else if rest.starts(with: "/*".unicodeScalars) {
          rest.removeFirst(2)
          if rest.first == "M" { rest.removeFirst() }
          if rest.first == "!" {
            rest.removeFirst()
            while let digit = rest.first, ("0"..."9").contains(digit) { rest.removeFirst() }
            continue
          }
          while !rest.isEmpty, !rest.starts(with: "*/".unicodeScalars) { rest.removeFirst() }
          rest = rest.dropFirst(2)
        } else if rest.starts(with: "*/".unicodeScalars) {
          rest.removeFirst(2)
        } else if first == "#" || rest.starts(with: "-- ".unicodeScalars) {
          rest = rest.drop { $0 != "\n" }
        } else {
          return
        }
      }
    }

    private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
      scalar.value >= 0x80 || scalar == "_" || scalar == "$" || ("a"..."z").contains(scalar)
        || ("A"..."Z").contains(scalar)
        || ("0"..."9").contains(scalar)
    }

    private mutating func plain() -> String? {
      let word = rest.prefix { Self.isPart($0) }
      rest = rest.dropFirst(word.count)
      return word.isEmpty ? nil : String(word)
    }

    mutating func word() -> String? {
      skipBlanks()
      return plain()?.lowercased()
    }

    /// All of these words or none.
    @discardableResult
    mutating func skip(_ words: String...) -> Bool {
      var ahead = self
      for wanted in words where ahead.word() != wanted { return false }
      self = ahead
      return true
    }

    /// The comma of a list, or the TO of a renaming.
    mutating func skipsSeparator() -> Bool {
      skipBlanks()
      if rest.first == "," {
        rest.removeFirst()
        return true
      }
      return skip("to")
    }

    mutating func name() -> Name? {
      guard let first = part() else { return nil }
      skipBlanks()
      guard rest.first == "." else { return Name(database: nil, table: first) }
      rest.removeFirst()
      return part().map { Name(database: first, table: $0) }
    }

    private mutating func part() -> String? {
      skipBlanks()
      guard let mark = rest.first, mark == "`" || mark == "\"" else { return plain() }
      rest.removeFirst()
      var name = String.UnicodeScalarView()
      while let next = rest.popFirst() {
        if next == mark {
          guard rest.first == mark else { return String(name) }
          rest.removeFirst()
        }
        name.append(next)
      }
      return nil
    }
  }
}
