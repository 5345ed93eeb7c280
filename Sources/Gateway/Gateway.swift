import Hummingbird
enum Gateway {}
