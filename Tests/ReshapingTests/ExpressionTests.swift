import Connecting
import Kernel
import Testing

@testable import Reshaping

@Suite struct ExpressionTests {
  private let person: [(String, ValueType, Value)] = [
    ("姓名", .text, .text(" 张三 ")), ("证件号", .text, .text("630102199003077211")),
    ("注册资本", .decimal(precision: 18, scale: 2), .decimal("12345.67")), ("人数", .integer, .integer(7)),
    ("生日", .date, .date("1990-03-07")), ("更新时间", .timestamp, .timestamp("2026-01-01 07:30:15")),
    ("空", .text, .null), ("在业", .boolean, .boolean(true)), ("比率", .double, .double(0.25)),
    ("no name", .text, .text("a%b")),
  ]

  @Test(arguments: [
    ("'文本'", "文本"), ("12", "12"), ("-12", "-12"), ("3.50", "3.50"), ("DATE '2026-01-01'", "2026-01-01"),
    ("TRUE", "true"),
    ("TIMESTAMP '2026-01-01 08:00:00'", "2026-01-01 00:00:00.000000"), ("'it''s'", "it's"), ("''", ""),
    ("-9223372036854775808", "-9223372036854775808"),
    ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("7 - 2 - 1", "4"), ("1.5 + 1", "2.5"), ("0.1 + 0.2", "0.3"),
    ("1.25 * 1.1", "1.375"), ("ROUND(10 / 3, 4)", "3.3333"), ("ROUND(2 / 3, 0)", "1"), ("ROUND(-1 / 2, 0)", "-1"),
    ("ROUND(2.345, 2)", "2.35"), ("ROUND(-2.345, 2)", "-2.35"), ("ROUND(5, 2)", "5.00"),
    ("ROUND(1 / 0, 2)", "division-by-zero"),
    ("99999999999999999999999999999999999999 + 1", "out-of-range"), ("9223372036854775807 + 1", "out-of-range"),
    ("0.00000000000000000001 * 0.000000000000000001", "0.00000000000000000000000000000000000001"),
    ("'a' || 'b' || 'c'", "abc"), ("'a' || NULL", "NULL"), ("CONCAT('a', NULL, 'b')", "ab"), ("CONCAT(NULL)", ""),
    ("1 < 2 AND 2 <= 2", "true"), ("1 <> 1 OR 1 != 2", "true"), ("NOT 1 = 1", "false"), ("1 ＝ 1", "true"),
    ("2 ≥ 1", "true"),
    ("NULL = NULL", "NULL"), ("NULL AND FALSE", "false"), ("NULL OR TRUE", "true"), ("NULL AND TRUE", "NULL"),
    ("NULL IS NULL", "true"), ("1 IS NOT NULL", "true"), ("1.0 = 1", "true"), ("1.10 = 1.1", "true"),
    ("3 IN (1, 2, 3)", "true"), ("3 NOT IN (1, 2)", "true"), ("1.5 IN (1, 1.50)", "true"), ("1 IN (1.5)", "false"),
    ("NULL IN (1)", "NULL"), ("'b' IN ('a', 'b')", "true"), ("DATE '2026-01-01' IN (DATE '2026-01-01')", "true"),
    ("2 BETWEEN 1 AND 2", "true"), ("0 BETWEEN 1 AND 2", "false"), ("0 NOT BETWEEN 1 AND 2", "true"),
    ("5 BETWEEN NULL AND 2", "false"), ("1 BETWEEN NULL AND 2", "NULL"),
    ("CASE WHEN 1 = 2 THEN 'a' WHEN TRUE THEN 'b' ELSE 'c' END", "b"), ("CASE WHEN NULL THEN 1 END", "NULL"),
    ("CASE WHEN FALSE THEN 1 ELSE 2.50 END", "2.50"), ("CASE WHEN FALSE THEN ROUND(1 / 0, 2) ELSE 2 END", "2.00"),
    ("FALSE AND ROUND(1 / 0, 2) > 1", "false"), ("COALESCE(NULL, 1, ROUND(1 / 0, 2))", "1.00"),
    ("LEFT('三江源', 2)", "三江"), ("RIGHT('三江源', 2)", "江源"), ("SUBSTR('三江源', 2)", "江源"), ("SUBSTR('三江源', 2, 1)", "江"),
    ("SUBSTR('三江源', 9, 1)", ""), ("LEFT('三', 9)", "三"), ("LEFT('三', -1)", "out-of-range"),
    ("SUBSTR('三', 0)", "out-of-range"),
    ("LENGTH('三a𠮷')", "3"), ("TRIM('\u{3000} a b\t')", "a b"), ("UPPER('aZé')", "AZé"), ("LOWER('aZ')", "az"),
    ("REPLACE('aXbX', 'X', '江')", "a江b江"), ("REPLACE('aaa', 'aa', 'b')", "ba"), ("REPLACE('a', '', 'b')", "a"),
    ("REPLACE(NULL, 'a', 'b')", "NULL"), ("YEAR(DATE '2026-03-04')", "2026"), ("MONTH(DATE '2026-03-04')", "3"),
    ("DAY(TIMESTAMP '2026-01-01 00:30:00')", "1"), ("YEAR(TIMESTAMP '2025-12-31 23:59:00')", "2025"),
    ("DATE_ADD_DAYS(DATE '2026-02-28', 1)", "2026-03-01"), ("DATE_ADD_DAYS(DATE '9999-12-31', 1)", "impossible-date"),
    ("AGE_AT(DATE '1990-03-07', DATE '2026-03-06')", "35"), ("AGE_AT(DATE '1990-03-07', DATE '2026-03-07')", "36"),
    ("AGE_AT(DATE '2000-02-29', DATE '2001-02-28')", "0"),
    ("AGE_AT(DATE '2026-01-02', DATE '2026-01-01')", "date-out-of-range"),
    ("TO_TEXT(12)", "12"), ("TO_TEXT(-0.50)", "-0.50"), ("TO_TEXT(TRUE)", "true"),
    ("TO_TEXT(DATE '2026-01-01')", "2026-01-01"),
    ("TO_TEXT(DATE '2026-01-05', 'yyyy年MM月dd日')", "2026年01月05日"),
    ("TO_TEXT(TIMESTAMP '2026-01-01 08:09:10')", "2026-01-01 08:09:10"),
    ("TO_INTEGER(' 12 ')", "12"), ("TO_INTEGER('12.0')", "12"), ("TO_INTEGER('12.5')", "too-many-decimals"),
    ("TO_INTEGER('x')", "not-a-number"), ("TO_INTEGER(' ')", "NULL"), ("TO_INTEGER(2.00)", "2"),
    ("TO_INTEGER(2.5)", "too-many-decimals"), ("TO_INTEGER('1e3')", "1000"), ("TO_INTEGER(TRUE)", "1"),
    ("TO_DECIMAL('12.5', 10, 2)", "12.50"), ("TO_DECIMAL('12.345', 10, 2)", "too-many-decimals"),
    ("TO_DECIMAL('123456789', 5, 2)", "out-of-range"), ("TO_DECIMAL(7, 5, 1)", "7.0"),
    ("TO_DATE('20260105', 'yyyyMMdd')", "2026-01-05"), ("TO_DATE('2026-1-5', 'yyyyMMdd')", "impossible-date"),
    ("TO_DATE('20260230', 'yyyyMMdd')", "impossible-date"), ("TO_DATE('2026年1月5日')", "2026-01-05"),
    ("TO_DATE('')", "NULL"),
    ("TO_DATE(TIMESTAMP '2026-01-01 00:30:00')", "2026-01-01"),
    ("TO_TIMESTAMP('20260101083000', 'yyyyMMddHHmmss')", "2026-01-01 00:30:00.000000"),
    ("TO_TIMESTAMP(DATE '2026-01-01')", "2025-12-31 16:00:00.000000"),
  ])
  func `constants give what the reference says`(text: String, expected: String) throws {
    #expect(try result(text) == expected)
  }

  @Test(arguments: [
    ("LEFT(证件号, 6)", "630102"), ("「证件号」 LIKE '6301%'", "true"),
    ("TRIM(姓名) || '（' || 证件号 || '）'", "张三（630102199003077211）"),
    ("ROUND(注册资本 / 10000, 2)", "1.23"), ("注册资本 * 人数", "86419.69"), ("注册资本 > 10000", "true"),
    ("人数 + 1", "8"), ("-注册资本", "-12345.67"), ("AGE_AT(生日, DATE '2026-01-01')", "35"), ("空 IS NULL", "true"),
    ("COALESCE(空, '无')", "无"), ("LENGTH(空)", "NULL"), ("空 = ''", "NULL"), ("在业 AND 人数 IN (1, 7)", "true"),
    ("比率 * 4 = 1", "true"), ("比率 > 0.2", "true"), ("TO_DECIMAL(比率, 5, 1)", "0.3"), ("比率 / 0", "division-by-zero"),
    ("TO_TEXT(更新时间)", "2026-01-01 07:30:15"), ("DAY(更新时间)", "1"), ("\"no name\" LIKE 'a\\%b'", "true"),
    ("“no name” LIKE 'a\\%'", "false"), ("TO_TEXT(生日, 'yyyyMM')", "199003"),
    ("TO_DATE(SUBSTR(证件号, 7, 8), 'yyyyMMdd')", "1990-03-07"),
    ("SUBSTR(证件号, 17, 1) IN ('1', '3', '5', '7', '9')", "true"),
    ("CASE WHEN 人数 < 10 THEN '小微' WHEN 人数 < 100 THEN '中型' ELSE '大型' END", "小微"),
  ])
  func `columns are read from the row's bytes`(text: String, expected: String) throws {
    #expect(try result(text, person) == expected)
  }

  @Test(arguments: [
    ("三江源", "三%", true), ("三江源", "_江_", true), ("三江源", "__", false), ("三江源", "%源", true), ("三江源", "%江%", true),
    ("", "%", true), ("", "_", false), ("ab", "a%b%", true), ("aXbXc", "a%X_", true), ("aXbXcd", "a%X_", false),
    ("", "", true),
    ("三", "_%", true), ("%", "\\%", true), ("\\", "\\\\", true), ("江三江", "%_江", true),
  ])
  func `LIKE counts characters`(text: String, pattern: String, expected: Bool) throws {
    let pattern = try #require(LikePattern(pattern))
    #expect(Array(text.utf8).withUnsafeBytes { pattern.matches($0) } == expected)
  }

  @Test(arguments: [
    ("", "1 The expression ends here; a column, a constant, a function or “(” was expected."),
    ("1 +", "4 The expression ends here; a column, a constant, a function or “(” was expected."),
    ("(1", "3 The expression ends here; “)” was expected."),
    ("1 2", "3 Here stands “2”; an operator or the end was expected."),
    ("'abc", "1 The closing “'” is missing."), ("姓名 = “张三", "6 The closing “”” is missing."),
    ("甲", "1 There is no column “甲” to use. There are: 「姓名」 「人数」"),
    ("LEN('a')", "1 There is no function “LEN”. There are: LEFT, "),
    ("LEFT('a')", "1 It is called LEFT(text, n); here it has 1 arguments."),
    ("人数 / 2", "1 A division states its decimals: ROUND(a / b, 2)."),
    ("人数 = '1'", "6 Integer cannot be compared with text. A number has no quotes."),
    ("姓名 + 'a'", "1 Texts are joined with ||, not with +."),
    ("1 = 1 = 1", "7 Comparisons do not chain; join them with AND."),
    ("1 IN (NULL)", "7 An IN list holds no NULL; write IS NULL beside it."),
    ("1 IN (人数)", "7 An IN list holds constants only."),
    ("NOT 人数", "5 This gives integer; it must be a condition."), ("AND", "1 Here stands “AND”; a column"),
    ("DATE '2026-02-30'", "6 A date is written DATE '2026-01-01'."),
    ("TO_DATE(姓名, 'yyyy')", "13 A date's format has yyyy, MM and dd"),
    ("LOOKUP('不在', 姓名)", "8 There is no dictionary “不在”. There are: 性别"),
    ("CASE WHEN TRUE THEN 1 ELSE 'a' END", "28 This gives text, the one before integer"),
    ("123456789012345678901234567890123456789", "1 The number has more than 38 digits."),
    ("1号", "1 A number runs into letters"),
    ("姓名 LIKE 'a\\'", "1 The LIKE pattern ends in a single \\."), ("a ! b", "3 “!” cannot stand alone"),
    ("‘a’", "1 Texts stand in straight single quotes"),
    ("CASE 1 END", "6 Here stands “1”; WHEN was expected."),
    ("ROUND(1.5, 人数)", "12 This must be a constant from 0 to 38."),
  ])
  func `what is wrong is said with its place`(text: String, expected: String) {
    let found = fault(text, [("姓名", .text), ("人数", .integer)])
    #expect(found.hasPrefix(expected), "\(found)")
  }

  @Test func `too long, too deep and too many are refused`() {
    #expect(
      fault(String(repeating: "(", count: 100) + "1" + String(repeating: ")", count: 100)).contains("levels deep"))
    #expect(fault(String(repeating: "NOT ", count: 100) + "TRUE").contains("levels deep"))
    #expect(fault("1" + String(repeating: " + 1", count: 100)).contains("levels deep"))
    #expect(fault("1 IN (" + (1...3000).map(String.init).joined(separator: ",") + ")").contains("2000 parts"))
    #expect(fault(String(repeating: " ", count: 20_000)).contains("16384 bytes"))
    #expect(fault("TRUE" + String(repeating: " AND TRUE", count: 500)) == "none")
  }

  @Test func `a result is given in the item's type or refused`() throws {
    #expect(try result("1 + 1", as: .decimal(precision: 10, scale: 2)) == "2.00")
    #expect(try result("1.50", as: .decimal(precision: 10, scale: 1)) == "1.5")
    #expect(try result("1.55", as: .decimal(precision: 10, scale: 1)) == "too-many-decimals")
    #expect(try result("100", as: .decimal(precision: 3, scale: 1)) == "out-of-range")
    #expect(try result("NULL", as: .date) == "NULL")
    #expect(throws: ExpressionFault.self) { try result("'a'", as: .integer) }
  }

  @Test func `what a connector found malformed makes the row bad where it is read`() throws {
    let row = TestRow([ExpressionColumn("a", .date)])
    #expect(row.loadMalformed(.impossibleDate))
    let machine = ExpressionMachine(try ExpressionProgram(Expression(parsing: "YEAR(a)"), columns: row.columns))
    #expect(machine.run(row.fields) == .impossibleDate)
    let skipping = ExpressionMachine(
      try ExpressionProgram(Expression(parsing: "FALSE AND YEAR(a) = 1"), columns: row.columns))
    #expect(skipping.run(row.fields) == nil && !skipping.isTrue)
  }

  @Test(arguments: [
    (DictionaryTable.Unknown.fault, "not-in-dictionary"), (.keep, "9"), (.null, "NULL"), (.value("未知"), "未知"),
  ])
  func `a dictionary translates codes, and its unknown ones as it says`(
    unknown: DictionaryTable.Unknown, expected: String
  )
    throws
  {
    let table = try DictionaryTable([("1", "男"), ("2", "女"), ("2", "女")], unknown: unknown)
    func translated(_ code: String) throws -> String {
      try result("LOOKUP('性别', c)", [("c", .text, .text(code))], dictionaries: ["性别": table])
    }
    #expect(try translated("1") == "男" && translated("2") == "女" && translated("9") == expected)
    #expect(try result("LOOKUP('性别', NULL)", dictionaries: ["性别": table]) == "NULL")
    #expect(throws: ConnectorError.self) { try DictionaryTable([("1", "男"), ("1", "女")]) }
  }

  @Test(arguments: [
    (
      "注册资本 >= 100 AND (状态 = '存续' OR 状态 IS NULL)", "「注册资本」不小于100，并且（「状态」等于“存续”，或者「状态」为空）",
      "“注册资本” is at least 100 and (“状态” equals “存续” or “状态” is NULL)"
    ),
    (
      "LEFT(证件号, 6) IN ('630102', '630103')", "「证件号」的前 6 个字符是“630102”、“630103”之一",
      "the first 6 characters of “证件号” is one of “630102”, “630103”"
    ),
    ("CASE WHEN a > 1 THEN '大' ELSE '小' END", "当「a」大于1时取“大”；否则取“小”", "“大” when “a” is greater than 1; otherwise “小”"),
    ("a BETWEEN 1 AND 2", "「a」在 1 至 2 之间（含两端）", "“a” is from 1 through 2"),
  ])
  func `an expression says what it does`(text: String, chinese: String, english: String) throws {
    let sentence = try Expression(parsing: text).sentence
    #expect(sentence.chinese == chinese && sentence.english == english)
  }

  @Test func `columns and dictionaries it reads are known`() throws {
    let expression = try Expression(parsing: "CASE WHEN 甲 > 乙 THEN LOOKUP('d', 丙) ELSE LOOKUP('e', 甲) END")
    #expect(expression.columns == ["甲", "乙", "丙"] && expression.dictionaries == ["d", "e"])
  }
}
