import AsyncHTTPClient
enum OpenAIBackend {}
