"""A small server of ours that gives chDB, ClickHouse's engine as a library, ClickHouse's HTTP protocol on loopback.

__main__    start, serve, end
protocol    one connection: request in, answer out
request     what a request asks for
statement   what a statement is: an insert's data, a result's format, one statement or several
execution   runs one statement on one chDB client
clients     a fresh chDB client per request; kept ones for sessions with state
login       user and password
coding      content codings
faults      errors as a real server words and numbers them
"""
