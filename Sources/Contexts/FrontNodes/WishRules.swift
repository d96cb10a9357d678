package import Kernel

extension FrontNode.Wish {
  package static let reasonLimit = 800
  package static let machineLimit = 300
  package static let nameLimit = 30
  package static let phoneLimit = 20
  package static let mostRoom = 100_000

  /// What is wrong with it, whoever asks.
  package func faults(products: [String], on today: CalendarDate) -> [Refusal.Fault] {
    var faults: [Refusal.Fault] = []
    func check(_ field: String, _ text: String, most: Int, missing: Text?) {
      if let wrong = PlainText.wrongWords(text, most: most, missing: missing) { faults.append(.init(field, wrong)) }
    }
    check("reason", reason, most: Self.reasonLimit, missing: Text("请填写申请理由。", "Say why it is needed."))
    if !(1...5).contains(grade) {
      faults.append(.init("grade", Text("请选择系统的保护级别。", "Choose the protection grade of the system.")))
    }
    switch form {
    case .database:
      if product.map({ !products.contains($0) }) ?? true {
        faults.append(.init("product", Text("请选择数据库类型。", "Choose the kind of database.")))
      }
    case .machine:
      check(
        "machine", machine ?? "", most: Self.machineLimit,
        missing: Text("请写明操作系统、处理器和内存要求。", "Say which system, how many processors, how much memory."))
    }
    if !(1...Self.mostRoom).contains(room) {
      faults.append(
        .init(
          "room", Text("空间应为 1 到 \(Self.mostRoom) GB 的整数。", "Room is a whole number of GB from 1 to \(Self.mostRoom)."))
      )
    }
    check("contact", contact, most: Self.nameLimit, missing: Text("请填写联系人。", "Name a contact."))
    check(
      "technician", technician, most: Self.nameLimit, missing: Text("请填写技术负责人。", "Name who is technically responsible.")
    )
    for (field, phone) in [("contactPhone", contactPhone), ("technicianPhone", technicianPhone)]
    where !Self.isPhone(phone) {
      faults.append(
        .init(field, Text("电话只含数字、空格、+ 和 -，7 到 20 位。", "A phone number is 7 to 20 digits, blanks, + and -.")))
    }
    if let until, until <= today {
      faults.append(.init("until", Text("使用期限应晚于今天。", "The last day must be after today.")))
    }
    return faults
  }

  private static func isPhone(_ text: String) -> Bool {
    let isMade = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x20 || $0 == 0x2B || $0 == 0x2D }
    return isMade && text.utf8.count <= phoneLimit && text.utf8.filter { (0x30...0x39).contains($0) }.count >= 7
  }
}
