package import Connecting
import Kernel
import Remote

/// Where messages go, and by what they are known to be ours.
struct MessagesTarget: Sendable {
  /// A table's address is this one and the table's name.
  var address: RemoteAddress
  /// `Name: value`; secret.
  var headers: [String]
  /// Shared with the receiving system; signs what is sent.
  var secret: [UInt8]
  /// About how long a message may be.
  var messageBytes: Int
  /// For how long one message is tried again while the system is busy or cannot be reached.
  var patience = MessagesConnector.usualPatience

  static let usualSize = 256
  static let sizes = 16...16_384

  /// Why no message can name a table or a column so; nil when one can.
  static func nameFault(_ name: String) -> Text? {
    if name.isEmpty || name.utf8.count > 200 {
      return Text("名称应为 1 至 200 字节。", "A name has 1 to 200 bytes.")
    }
    return name.utf8.contains { $0 < 0x20 || $0 == 0x7F }
      ? Text("名称含有控制字符。", "The name holds control characters.") : nil
  }

  /// A table's name is a part of an address, which many a server takes apart before it looks at it.
  static func tableFault(_ name: String) -> Text? {
    if let fault = nameFault(name) { return fault }
    return name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") } || name.first == "."
      ? Text(
        "表名是地址的一部分，不能含 / 或 \\，也不能以点开头。",
        "A table's name is a part of its address: it holds no / or \\ and does not begin with a dot.") : nil
  }

  /// The target of these settings, or what is wrong with them.
  static func read(_ settings: [String: String]) -> (
    target: MessagesTarget?, faults: [(setting: String, message: Text)]
  ) {
    var faults: [(setting: String, message: Text)] = []
    var address: RemoteAddress?
    do throws(RemoteAddress.Fault) { address = try RemoteAddress(settings["address"] ?? "") } catch {
      faults.append(("address", error.message))
    }
    if let address, address.scheme == .sftp || address.query != nil {
      faults.append(
        ("address", Text("地址应以 https:// 开头，不带参数。", "The address begins with https:// and has no parameters.")))
    }
    let headers = SettingRules.headers(settings["headers"] ?? "")
    if headers == nil { faults.append(("headers", SettingRules.headersFault)) }
    let secret = Array((settings["secret"] ?? "").utf8)
    if !(16...256).contains(secret.count) {
      faults.append(("secret", Text("共享密钥应为 16 至 256 字节。", "The shared secret has 16 to 256 bytes.")))
    }
    let written = settings["size"] ?? ""
    let size = written.isEmpty ? usualSize : Int(written) ?? 0
    if !sizes.contains(size) {
      faults.append(
        (
          "size",
          Text(
            "应为 \(sizes.lowerBound) 至 \(sizes.upperBound) 的整数。",
            "It is a whole number from \(sizes.lowerBound) to \(sizes.upperBound).")
        ))
    }
    guard faults.isEmpty, let address, let headers else { return (nil, faults) }
    return (MessagesTarget(address: address, headers: headers, secret: secret, messageBytes: size << 10), [])
  }
}

extension MessagesConnector {
  package static let usualPatience = Duration.seconds(15)

  /// `patience`: for how long one message is tried again while the system is busy or cannot be reached. Throws
  /// `.permanent` for settings that are wrong.
  package init(_ settings: [String: String], patience: Duration = usualPatience) throws(ConnectorError) {
    let (target, faults) = MessagesTarget.read(settings)
    guard var target else {
      throw ConnectorError(
        .permanent, "messages.\(faults.first?.setting ?? "settings")",
        faults.first?.message ?? Text("设置有误。", "The settings are wrong."))
    }
    target.patience = patience
    self.init(target)
  }

  package static let kind = ConnectorKind(
    name: "messages", title: Text("消息推送（HTTP）", "Messages over HTTP"),
    settings: [
      .init("address", Text("地址", "Address"), example: "https://data.example.gov.cn/messages"),
      .init("secret", Text("共享密钥（用于签名）", "Shared secret (for signatures)"), secret: true),
      .init(
        "headers", Text("请求头（每行一个）", "Headers (one a line)"), secret: true, required: false,
        example: "Authorization: Bearer …"
      ).long,
      .init(
        "size", Text("一条消息约多少 KiB（不填为 256）", "KiB of a message, about (empty: 256)"), required: false,
        example: "256"),
    ],
    guarantee: guarantee,
    check: { MessagesTarget.read($0).faults },
    nameFault: { MessagesTarget.nameFault($0) },
    open: { settings throws(ConnectorError) in try MessagesConnector(settings) })
}
