import Audit
import Kernel
import Storage
import TestKit
import Testing

@testable import Mounting

@Suite struct `Faults in the log` {
  @Test(arguments: [
    ("mounting.no-file", "没有符合的文件", "No file fits"), ("api.connect", "连接不上服务", "No connection to the service"),
    ("postgresql.connect", "连接不上数据库", "No connection to the database"),
    ("postgresql.42501", "数据库报告错误（42501）", "An error of the database (42501)"),
    ("contract.table-missing", "找不到数据表", "The table is not there"),
  ])
  func `are words in both languages`(code: String, chinese: String, english: String) {
    #expect(Mounting.words.value("fault", code) == Text(chinese, english))
  }

  @Test func `are codes only where nobody knows them`() {
    #expect(Mounting.words.value("fault", "elsewhere.connect") == nil)
    #expect(Mounting.words.value("fault", "none") == nil)
  }
}
