internal import CCurl
import Connecting
import Kernel

/// What libcurl's codes mean for a run: whether trying again may help, and what a person would have to change.
enum RemoteErrors {
  static func error(_ code: CURLcode, _ address: RemoteAddress) -> ConnectorError {
    let host = "\(address.host):\(address.port)"
    let isSSH = address.scheme == .sftp
    func retryable(_ name: String, _ chinese: String, _ english: String) -> ConnectorError {
      ConnectorError(.retryable, "remote.\(name)", Text("\(host)：\(chinese)。", "\(host): \(english)."))
    }
    func permanent(_ name: String, _ chinese: String, _ english: String) -> ConnectorError {
      ConnectorError(.permanent, "remote.\(name)", Text("\(host)：\(chinese)。", "\(host): \(english)."))
    }
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST: return retryable("name", "找不到这台主机", "no such host is known")
    case CURLE_COULDNT_CONNECT: return retryable("connect", "连接不上", "no connection")
    case CURLE_OPERATION_TIMEDOUT: return retryable("timeout", "没有及时应答", "it did not answer in time")
    case CURLE_PEER_FAILED_VERIFICATION:
      return isSSH
        ? permanent(
          "host-key", "主机密钥与登记的指纹不符；若对方确已更换密钥，请核实后更新指纹",
          "its host key is not the one whose fingerprint was entered; if it was changed on purpose, verify and enter the new one"
        )
        : permanent("certificate", "证书无效或不可信", "its certificate is invalid or not trusted")
    case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR:
      return permanent("certificate", "证书无效或不可信", "its certificate is invalid or not trusted")
    case CURLE_SSL_CONNECT_ERROR: return retryable("tls", "加密连接不成立", "no secure connection came about")
    case CURLE_LOGIN_DENIED:
      return permanent("login", "拒绝登录，请核对账号、口令或密钥", "the login was refused; check the account, password or key")
    case CURLE_REMOTE_ACCESS_DENIED: return permanent("denied", "无权访问该文件或目录", "the file or folder may not be accessed")
    case CURLE_REMOTE_FILE_NOT_FOUND: return permanent("missing", "没有该文件或目录", "there is no such file or folder")
    case CURLE_REMOTE_DISK_FULL: return retryable("full", "对方磁盘已满", "its disk is full")
    case CURLE_ABORTED_BY_CALLBACK: return retryable("cancelled", "请求已取消", "the request was cancelled")
    case CURLE_FILESIZE_EXCEEDED, CURLE_OUT_OF_MEMORY:
      return permanent("too-large", "应答过大", "the answer is too large")
    // Of SSH: the handshake broke off.
    case CURLE_FAILED_INIT where isSSH: return retryable("cut", "连接中断", "the connection broke")
    case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_SSH, CURLE_READ_ERROR,
      CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_WRITE_ERROR:
      return retryable("cut", "连接中断", "the connection broke")
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT:
      return permanent("address", "地址不可用", "the address cannot be used")
    default:
      return retryable("fault", "请求失败（libcurl \(code.rawValue)）", "the request failed (libcurl \(code.rawValue))")
    }
  }

  static func tooLarge(_ address: RemoteAddress, _ limit: Int) -> ConnectorError {
    let size = limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit) B"
    return ConnectorError(
      .permanent, "remote.too-large",
      Text(
        "\(address.host):\(address.port)：内容超过 \(size) 的上限。",
        "\(address.host):\(address.port): more than the \(size) allowed."
      ))
  }
}
