import Connecting
import Kernel
import Remote

/// What a receiving system's answers mean for a run: whether trying again may help, and who would have to change what. None
/// of the answers' own words are passed on, nor anything that was sent.
struct MessageErrors {
  let address: RemoteAddress
  let table: String

  private func error(_ kind: ConnectorError.Kind, _ code: String, _ chinese: String, _ english: String)
    -> ConnectorError
  {
    let host = "\(address.host):\(address.port)"
    return ConnectorError(kind, "messages.\(code)", Text("\(host)：\(chinese)", "\(host): \(english)"))
  }

  /// For every status but 200, 409, and 404 where that may be.
  func status(_ status: Int, sent: Int = 0) -> ConnectorError {
    switch status {
    case 300...399:
      error(
        .permanent, "redirect", "接收系统要求转到其他地址，已拒绝；请填写最终地址。",
        "it redirects, which is not followed; enter the final address.")
    case 400:
      error(
        .permanent, "malformed", "接收系统不认识这条消息（400），请核对其实现是否符合协议。",
        "it does not understand the message (400); compare what it does with the protocol.")
    case 401, 403:
      error(
        .permanent, "denied", "接收系统拒绝（\(status)），请核对共享密钥和请求头。",
        "it refuses (\(status)); check the shared secret and the headers.")
    case 404, 410:
      .contract(
        "table-missing", "接收系统不接收表“\(table)”（\(status)）。",
        "The receiving system takes no table “\(table)” (\(status)).")
    case 413:
      error(
        .permanent, "too-large", "接收系统不接受 \(sent >> 10) KiB 的消息（413）；请减小“一条消息约多少 KiB”，或请对方放宽。",
        "it takes no message of \(sent >> 10) KiB (413); lower the size of a message, or have it take larger ones.")
    case 422:
      .contract(
        "shape", "接收系统不接受表“\(table)”的这些列或值（422），须与接收部门商定。",
        "The receiving system does not take these columns or values of “\(table)” (422): agree on them with its office."
      )
    case 408, 425, 429, 503:
      error(.retryable, "busy", "接收系统繁忙（\(status)），稍后再试。", "it is busy (\(status)); later.")
    case 500...599:
      error(.retryable, "status", "接收系统出错（\(status)），稍后再试。", "it failed (\(status)); later.")
    default:
      error(.permanent, "status", "应答状态 \(status) 不在协议之内。", "status \(status) is none of the protocol's.")
    }
  }

  /// A status that says yes, and words that say nothing.
  var answer: ConnectorError {
    error(
      .permanent, "answer", "应答不是协议规定的 JSON，请核对地址；可能是登录页或中间的代理应答的。",
      "the answer is not the JSON that the protocol asks for; check the address: a sign-in page or a proxy may have answered."
    )
  }

  /// The system has another last message than we believe. Opening again finds where it stands.
  var outOfStep: ConnectorError {
    error(
      .retryable, Self.outOfStepCode, "接收系统保存的消息编号与本次运行不符，将重新打开。",
      "its last message is another than this run's; the run opens it again.")
  }

  static let outOfStepCode = "out-of-step"

  var conflict: ConnectorError {
    error(.permanent, "conflict", "接收系统拒绝（409）而没有说明原因。", "it refuses (409) and does not say why.")
  }

  var offset: ConnectorError {
    .contract(
      "state", "接收系统交还的位点无法识别：它没有原样保存。",
      "The offset that the receiving system gives back cannot be read: it was not kept as it came.")
  }

  func readBack(_ number: Int) -> ConnectorError {
    ConnectorError(
      .data, "messages.readback",
      Text(
        "接收系统对第 \(number) 条消息答复的摘要或行数与发送的不一致，已停止。",
        "What the receiving system says it took of message \(number) is not what was sent, by digest or rows; the run stops."
      ))
  }

  var cancelled: ConnectorError {
    error(.retryable, "cancelled", "请求已取消。", "the request was cancelled.")
  }
}
