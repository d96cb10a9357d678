package import Kernel

package typealias SystemID = ID<InformationSystem>

/// 政务信息系统: a system that serves government business, as the self-inspection of 2017 wants it listed (name, function,
/// scope and frequency of use, who approved it when, where its money comes from).
package struct InformationSystem: Hashable, Sendable {
  package var id: SystemID
  /// Given at registration, never used again: `XT63-000017`.
  package var number: String
  package var owner: OrganisationID
  package var ownerName: String
  package var facts: SystemFacts
  /// Grows by one with each edit; a form made from an older one is refused.
  package var revision: Int
  package var registeredAt: Instant
  package var changedAt: Instant
}

/// What a department says of its system. Codes are those of `CodeLists`.
package struct SystemFacts: Hashable, Sendable {
  package var name: String
  package var function: String
  package var scope: String
  package var frequency: String
  package var approvedBy: String
  package var approvedOn: CalendarDate?
  package var fundSource: String
  package var network: String
  package var stage: String

  package init(
    name: String, function: String, scope: String, frequency: String, approvedBy: String, approvedOn: CalendarDate?,
    fundSource: String, network: String, stage: String
  ) {
    self.name = name
    self.function = function
    self.scope = scope
    self.frequency = frequency
    self.approvedBy = approvedBy
    self.approvedOn = approvedOn
    self.fundSource = fundSource
    self.network = network
    self.stage = stage
  }

  package static let limits = (name: 64, function: 1000, approvedBy: 64, fundSource: 200)

  /// What is wrong with them, each at its field.
  package func faults(lists: CodeLists, on today: CalendarDate) -> [Refusal.Fault] {
    var faults: [Refusal.Fault] = []
    func need(_ field: String, _ value: String, _ limit: Int, _ label: Text) {
      if value.isEmpty {
        faults.append(.init(field, Text("请填写\(label.chinese)。", "Enter the \(label.english).")))
      } else if value.count > limit {
        faults.append(
          .init(field, Text("\(label.chinese)最多 \(limit) 个字。", "The \(label.english) has at most \(limit) characters."))
        )
      } else if value.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" && $0 != "\r" && $0 != "\t" }) {
        faults.append(
          .init(field, Text("\(label.chinese)含有控制字符。", "The \(label.english) holds control characters.")))
      }
    }
    func choose(_ field: String, _ code: String, _ list: CodeList, _ label: Text) {
      if !list.permits(code, on: today) {
        faults.append(.init(field, Text("请选择\(label.chinese)。", "Choose the \(label.english).")))
      }
    }
    need("name", name, Self.limits.name, Text("系统名称", "name"))
    need("function", function, Self.limits.function, Text("主要功能", "function"))
    choose("scope", scope, lists.scopes, Text("使用范围", "scope of use"))
    choose("frequency", frequency, lists.frequencies, Text("使用频度", "frequency of use"))
    need("approvedBy", approvedBy, Self.limits.approvedBy, Text("审批部门", "approving department"))
    if let approvedOn {
      if approvedOn > today {
        faults.append(.init("approvedOn", Text("审批时间不能晚于今天。", "The approval cannot lie in the future.")))
      }
    } else {
      faults.append(
        .init("approvedOn", Text("请填写审批时间，如 2016-05-20。", "Enter the date of approval, such as 2016-05-20.")))
    }
    need("fundSource", fundSource, Self.limits.fundSource, Text("经费来源", "source of funds"))
    choose("network", network, lists.networks, Text("承载网络", "network"))
    choose("stage", stage, lists.stages, Text("系统阶段", "stage"))
    return faults
  }
}
