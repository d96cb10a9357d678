package import Connecting
package import Kernel
package import Reshaping
import Sharing

/// A column of the target that is computed from what the grant gives (派生列): a constant, a conversion, a translation of codes.
package struct TaskColumn: Hashable, Sendable {
  package var name: String
  package var type: ValueType
  /// Over the granted items that are given as they are; see `docs/expressions.md`.
  package var expression: String
  package var comment: String

  package init(name: String, type: ValueType, expression: String, comment: String = "") {
    self.name = name
    self.type = type
    self.expression = expression
    self.comment = comment
  }

  static let most = 50
  static let longestExpression = 1_000
  static let longestComment = 60

  /// What may be read for it. A masked item may not: computing from its raw value would give away what the mask keeps.
  static func readable(of grant: Grant, among items: [ExpressionColumn]) -> [ExpressionColumn] {
    let open = Set(grant.items.filter { $0.mask == .none }.map(\.column))
    return items.filter { open.contains($0.name) }
  }

  /// Throws what is wrong with the expression, and where.
  func check(_ readable: [ExpressionColumn], _ dictionaries: [String: DictionaryTable]) throws(Refusal) {
    do {
      _ = try ExpressionProgram(
        Expression(parsing: expression), columns: readable, dictionaries: dictionaries, as: type)
    } catch {
      throw Refusal.invalid("exchange.column", "expression", error.message)
    }
  }
}

/// What codes become (字典翻译), for `LOOKUP` in the task's expressions.
package struct TaskDictionary: Hashable, Sendable {
  package enum Unknown: String, Sendable, CaseIterable {
    case fault, keep, null

    package var title: Text {
      switch self {
      case .fault: Text("隔离该行", "The row is quarantined")
      case .keep: Text("保留原代码", "The code stays as it is")
      case .null: Text("置为空", "It becomes empty")
      }
    }
  }

  package var name: String
  /// A line a code: the code, a comma, what it becomes.
  package var lines: String
  package var unknown: Unknown

  package init(name: String, lines: String, unknown: Unknown = .fault) {
    self.name = name
    self.lines = lines
    self.unknown = unknown
  }

  static let most = 20
  /// Bytes.
  static let longest = 60_000

  /// As the engine takes it. Throws the line that cannot be read.
  package func table() throws(Refusal) -> DictionaryTable {
    var codes: [(from: String, to: String)] = []
    do {
      for (index, fields) in try CSV.parse(lines).enumerated() where fields != [""] {
        guard fields.count == 2 else {
          throw wrong(Text("第 \(index + 1) 行应为“代码,译文”。", "Line \(index + 1) should be “code,meaning”."))
        }
        codes.append((fields[0].trimmingBlanks, fields[1].trimmingBlanks))
      }
    } catch let refusal as Refusal {
      throw refusal
    } catch { throw wrong(Text("不是逐行“代码,译文”的形式。", "These are no lines of “code,meaning”.")) }
    guard !codes.isEmpty else { throw wrong(Text("请逐行填写“代码,译文”。", "Enter lines of “code,meaning”.")) }
    let otherwise: DictionaryTable.Unknown =
      switch unknown {
      case .fault: .fault
      case .keep: .keep
      case .null: .null
      }
    do { return try DictionaryTable(codes, unknown: otherwise) } catch { throw wrong(error.message) }
  }

  private func wrong(_ message: Text) -> Refusal { Refusal.invalid("exchange.dictionary", "lines", message) }
}
