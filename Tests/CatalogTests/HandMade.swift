import Connecting
import Kernel
import Storage

@testable import Catalog

/// Entries written by hand, without a table behind them.
extension Offices {
  /// Items of those names, text of 50 characters.
  static func items(_ names: [String]) -> [Item] {
    names.enumerated().map { number, name in
      Item(
        id: .make(at: start), name: name, column: "c\(number)", dataType: "C", length: 50, type: .text, grade: "1")
    }
  }

  /// Complete metadata of a spreadsheet.
  static func spreadsheet(_ name: String) -> Metadata {
    var metadata = complete(Metadata(classes: ["203"]), name)
    metadata.abstract = "\(name)，来自业务办理，每月汇总一次。"
    metadata.format = "0203"
    metadata.methodClass = "1"
    metadata.methodType = "2"
    return metadata
  }

  static let welfare = [
    "姓名", "公民身份号码", "性别", "民族", "户籍地址", "保障类别", "保障金额", "起始月份", "家庭人口", "致贫原因", "联系电话", "所属乡镇", "审批日期", "备注",
  ]

  func draft(
    _ principal: Principal = otherOfficer, _ name: String = "低保对象信息", items names: [String] = welfare
  ) async throws -> Resource {
    try await cataloguing.draft(
      principal, system: nil, metadata: Self.spreadsheet(name), items: Self.items(names))
  }

  func submitted(
    _ principal: Principal = otherOfficer, _ name: String = "低保对象信息", items names: [String] = welfare
  ) async throws -> Resource {
    try await cataloguing.submit(principal, draft(principal, name, items: names).id)
  }

  func inForce(
    _ principal: Principal = otherOfficer, _ name: String = "低保对象信息", items names: [String] = welfare
  ) async throws -> Resource {
    let waiting = try await submitted(principal, name, items: names)
    return try await cataloguing.decide(Self.operatorOfPlatform, waiting.id, .approve(publish: true))
  }

  /// The next version in force, with this done to it.
  func changed(
    _ id: ResourceID, by principal: Principal = otherOfficer,
    because change: VersionChange = VersionChange(.correction, words: "更正。"), _ body: (inout Resource) -> Void
  ) async throws -> Resource {
    var draft = try await cataloguing.beginChange(principal, id)
    body(&draft)
    _ = try await cataloguing.edit(
      principal, id, from: draft.revision, .init(metadata: draft.metadata, items: draft.items))
    _ = try await cataloguing.submit(principal, id, because: change)
    return try await cataloguing.decide(Self.operatorOfPlatform, id, .approve(publish: true))
  }
}
