module vortest/goserver

go 1.21
