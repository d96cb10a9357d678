package import Kernel

extension Expression {
  /// What it says, in a sentence of each language.
  package var sentence: Text { Sentence.say(self, inside: 0) }
}

private enum Sentence {
  /// `inside`: how tightly what stands around binds; what binds less is put in brackets.
  static func say(_ expression: Expression, inside: Int) -> Text {
    let (text, binding) = parts(expression)
    return binding < inside ? Text("（\(text.chinese)）", "(\(text.english))") : text
  }

  private static func parts(_ expression: Expression) -> (Text, binding: Int) {
    switch expression.node {
    case .column(let name): (Text("「\(name)」", "“\(name)”"), 9)
    case .literal(let literal): (say(literal), 9)
    case .negate(let inner):
      (with(inner, 8) { Text("负\($0.chinese)", "minus \($0.english)") }, 7)
    case .arithmetic(let sign, let a, let b): arithmetic(sign, a, b)
    case .concatenate(let list):
      (Text("\(join(list, "、", 5).chinese)相连", "\(join(list, " and ", 5).english) joined"), 4)
    case .compare(let sign, let a, let b): (pair(a, b, words(sign), 4), 3)
    case .all(let list): (join(list, "，并且", " and ", 3), 2)
    case .any(let list): (join(list, "，或者", " or ", 2), 1)
    case .not(let inner):
      (with(inner, 1) { Text("“\($0.chinese)”不成立", "it is not so that \($0.english)") }, 2)
    case .isIn(let value, let list, let negated):
      (
        with(value, 4) { value in
          let list = (join(list, "、", 9).chinese, join(list, ", ", 9).english)
          return negated
            ? Text("\(value.chinese)不是\(list.0)之一", "\(value.english) is none of \(list.1)")
            : Text("\(value.chinese)是\(list.0)之一", "\(value.english) is one of \(list.1)")
        }, 3
      )
    case .between(let value, let low, let high, let negated):
      (
        with(value, 4) { value in
          let (low, high) = (say(low, inside: 4), say(high, inside: 4))
          return Text(
            "\(value.chinese)\(negated ? "不" : "")在 \(low.chinese) 至 \(high.chinese) 之间（含两端）",
            "\(value.english) is \(negated ? "not " : "")from \(low.english) through \(high.english)")
        }, 3
      )
    case .like(let text, let pattern, let negated):
      (
        with(text, 4) {
          Text(
            "\($0.chinese)\(negated ? "不" : "")符合样式“\(pattern)”",
            "\($0.english) \(negated ? "is not like" : "is like") “\(pattern)”")
        }, 3
      )
    case .isNull(let value, let negated):
      (
        with(value, 4) {
          Text("\($0.chinese)\(negated ? "不为空" : "为空")", "\($0.english) is \(negated ? "not NULL" : "NULL")")
        }, 3
      )
    case .choose(let branches, let otherwise): (choice(branches, otherwise), 0)
    case .call(let function, let list): (call(function, list), 8)
    }
  }

  private static func with(_ part: Expression, _ binding: Int, _ body: (Text) -> Text) -> Text {
    body(say(part, inside: binding))
  }

  private static func pair(_ a: Expression, _ b: Expression, _ words: Text, _ binding: Int) -> Text {
    let (x, y) = (say(a, inside: binding), say(b, inside: binding + 1))
    return Text(
      "\(x.chinese)\(words.chinese)\(y.chinese)", "\(x.english) \(words.english) \(y.english)")
  }

  private static func join(_ list: [Expression], _ mark: String, _ binding: Int) -> Text {
    join(list, mark, mark, binding)
  }

  private static func join(_ list: [Expression], _ chinese: String, _ english: String, _ binding: Int) -> Text {
    let texts = list.map { say($0, inside: binding) }
    return Text(
      texts.map(\.chinese).joined(separator: chinese), texts.map(\.english).joined(separator: english))
  }

  private static func arithmetic(_ sign: Expression.Arithmetic, _ a: Expression, _ b: Expression) -> (Text, Int) {
    switch sign {
    case .plus: (pair(a, b, Text("加", "plus"), 5), 5)
    case .minus: (pair(a, b, Text("减", "minus"), 5), 5)
    case .times: (pair(a, b, Text("乘以", "times"), 6), 6)
    case .dividedBy: (pair(a, b, Text("除以", "divided by"), 6), 6)
    }
  }

  private static func words(_ sign: Expression.Comparison) -> Text {
    switch sign {
    case .equal: Text("等于", "equals")
    case .unequal: Text("不等于", "differs from")
    case .less: Text("小于", "is less than")
    case .lessOrEqual: Text("不大于", "is at most")
    case .greater: Text("大于", "is greater than")
    case .greaterOrEqual: Text("不小于", "is at least")
    }
  }

  private static func say(_ literal: Expression.Literal) -> Text {
    switch literal {
    case .null: Text("空值", "NULL")
    case .boolean(let value): value ? Text("真", "true") : Text("假", "false")
    case .integer(let value): Text(same: "\(value)")
    case .decimal(let value, let scale): Text(same: Decimals.text(value, scale: scale))
    case .text(let text): Text(same: "“\(text)”")
    case .date(let date): Text(same: "\(date)")
    case .timestamp(let time):
      Text(
        same: {
          let day = RowTime.day(time)
          let second = (time - RowTime.start(ofDay: day)) / 1_000_000
          let format = DateFormat("yyyy-MM-dd HH:mm:ss")
          return String(decoding: format?.write(day: day, second: second) ?? [], as: UTF8.self)
        }())
    }
  }

  private static func choice(_ branches: [Expression.Branch], _ otherwise: Expression?) -> Text {
    let texts = branches.map { branch in
      let (condition, value) = (say(branch.condition, inside: 0), say(branch.value, inside: 1))
      return Text(
        "当\(condition.chinese)时取\(value.chinese)", "\(value.english) when \(condition.english)")
    }
    let last = otherwise.map { say($0, inside: 1) } ?? Text("空值", "NULL")
    return Text(
      texts.map(\.chinese).joined(separator: "；") + "；否则取\(last.chinese)",
      texts.map(\.english).joined(separator: "; ") + "; otherwise \(last.english)")
  }

  private static func call(_ function: Function, _ list: [Expression]) -> Text {
    let t = list.map { say($0, inside: 0) }
    func form(_ chinese: (String, String, String) -> String, _ english: (String, String, String) -> String) -> Text {
      func part(_ index: Int, _ path: KeyPath<Text, String>) -> String {
        index < t.count ? t[index][keyPath: path] : ""
      }
      return Text(
        chinese(part(0, \.chinese), part(1, \.chinese), part(2, \.chinese)),
        english(part(0, \.english), part(1, \.english), part(2, \.english)))
    }
    switch function {
    case .left: return form({ a, b, _ in "\(a)的前 \(b) 个字符" }, { a, b, _ in "the first \(b) characters of \(a)" })
    case .right: return form({ a, b, _ in "\(a)的后 \(b) 个字符" }, { a, b, _ in "the last \(b) characters of \(a)" })
    case .substring:
      return t.count == 3
        ? form({ "\($0)从第 \($1) 个字符起的 \($2) 个字符" }, { "\($2) characters of \($0) from number \($1) on" })
        : form({ a, b, _ in "\(a)从第 \(b) 个字符起的部分" }, { a, b, _ in "\(a) from character \(b) on" })
    case .length: return form({ a, _, _ in "\(a)的字符数" }, { a, _, _ in "the length of \(a)" })
    case .trim: return form({ a, _, _ in "去掉首尾空白的\(a)" }, { a, _, _ in "\(a) without blanks at its ends" })
    case .upper: return form({ a, _, _ in "\(a)的大写" }, { a, _, _ in "\(a) in upper case" })
    case .lower: return form({ a, _, _ in "\(a)的小写" }, { a, _, _ in "\(a) in lower case" })
    case .replace: return form({ "把\($0)中的\($1)换成\($2)" }, { "\($0) with \($1) replaced by \($2)" })
    case .concatenate:
      return Text(
        "\(t.map(\.chinese).joined(separator: "、"))相连（空值不计）",
        "\(t.map(\.english).joined(separator: " and ")) joined, NULL left out")
    case .coalesce:
      return Text(
        "\(t.map(\.chinese).joined(separator: "、"))中第一个非空的值",
        "the first of \(t.map(\.english).joined(separator: ", ")) that is not NULL")
    case .year: return form({ a, _, _ in "\(a)的年份" }, { a, _, _ in "the year of \(a)" })
    case .month: return form({ a, _, _ in "\(a)的月份" }, { a, _, _ in "the month of \(a)" })
    case .day: return form({ a, _, _ in "\(a)的日" }, { a, _, _ in "the day of the month of \(a)" })
    case .addDays: return form({ a, b, _ in "\(a)之后 \(b) 天" }, { a, b, _ in "\(a) plus \(b) days" })
    case .ageAt:
      return form({ a, b, _ in "\(a)出生者到 \(b) 的周岁" }, { a, b, _ in "the age on \(b) of who was born on \(a)" })
    case .round: return form({ a, b, _ in "\(a)四舍五入到 \(b) 位小数" }, { a, b, _ in "\(a) rounded to \(b) decimals" })
    case .toText, .toInteger, .toDecimal, .toDate, .toTimestamp:
      let target: Text =
        switch function {
        case .toText: Text("文本", "text")
        case .toInteger: Text("整数", "an integer")
        case .toDecimal:
          Text("小数（\(t[1].chinese) 位，小数 \(t[2].chinese) 位）", "a decimal(\(t[1].english),\(t[2].english))")
        case .toDate: Text("日期", "a date")
        default: Text("日期时间", "a time")
        }
      let format = function != .toDecimal && t.count == 2 ? t[1] : nil
      return Text(
        "\(t[0].chinese)\(format.map { "按\($0.chinese)" } ?? "")转为\(target.chinese)",
        "\(t[0].english) as \(target.english)\(format.map { " by \($0.english)" } ?? "")")
    case .lookup: return form({ a, b, _ in "\(b)按字典\(a)翻译" }, { a, b, _ in "\(b) translated by the dictionary \(a)" })
    }
  }
}
