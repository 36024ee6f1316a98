// SPDX-License-Identifier: Apache-2.0
// memory: 32768

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

enum class Result { done, no_account, too_little };

static const char *text(Result result)
{
	switch (result) {
	case Result::done:
		return "done";
	case Result::no_account:
		return "no account";
	default:
		return "too little";
	}
}

class Bank
{
      public:
	void open(const std::string &who, std::int64_t cents)
	{
		accounts_[who] += cents;
	}
	Result move(const std::string &from, const std::string &to, std::int64_t cents)
	{
		auto source = accounts_.find(from);
		auto target = accounts_.find(to);
		if (source == accounts_.end() || target == accounts_.end()) {
			return Result::no_account;
		}
		if (source->second < cents) {
			return Result::too_little;
		}
		source->second -= cents;
		target->second += cents;
		return Result::done;
	}
	std::optional<std::int64_t> balance(const std::string &who) const
	{
		auto found = accounts_.find(who);
		return found == accounts_.end() ? std::nullopt : std::optional(found->second);
	}

      private:
	std::map<std::string, std::int64_t> accounts_;
};

int main()
{
	Bank bank;
	bank.open("ann", 100000000000LL);
	bank.open("bob", 250);
	std::printf("%s\n", text(bank.move("ann", "bob", 99999999999LL)));
	std::printf("%s\n", text(bank.move("ann", "bob", 2)));
	std::printf("%s\n", text(bank.move("ann", "cid", 1)));
	for (const char *who : {"ann", "bob", "cid"}) {
		auto cents = bank.balance(who);
		std::printf("%s %lld.%02d\n", who, (long long)cents.value_or(-100) / 100,
			    (int)(cents.value_or(0) % 100));
	}
	return 0;
}
