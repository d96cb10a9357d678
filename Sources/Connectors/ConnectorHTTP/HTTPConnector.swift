import Connecting
