-- invoices: what each line cost, and whether it came back, where the shop says so by
--      unit price and invoice number.
-- in:  custseg_source_lines: the columns of order lines, unit_price, invoice_number,
--      time_text (ordered_at, if it is text)
-- out: amount: where there is none, quantity * unit_price; is_return: true for invoices
--      whose number is a C and digits (credit notes), else as the shop or the signs
--      say; ordered_at: on invoices also from text like 12/31/2010 8:26, month first
create temp view custseg_source_priced_lines as
select
    * replace (
        coalesce(
            custseg.to_decimal(amount, 'amount'),
            custseg.to_decimal(
                custseg.to_decimal(quantity, 'quantity')
                    * custseg.to_decimal(unit_price, 'unit_price'),
                'amount'
            )
        ) as amount,
        coalesce(
            custseg.to_boolean(is_return, 'is_return'),
            case
                when regexp_matches(invoice_number::varchar, '^\s*[Cc]\d') then true
            end
        ) as is_return,
        coalesce(
            ordered_at,
            try_strptime(
                case when invoice_number is not null then time_text::varchar end,
                ['%m/%d/%Y %H:%M', '%m/%d/%y %H:%M']
            ),
            custseg.to_timestamp(time_text, 'ordered_at', null)
        ) as ordered_at
    ),
from temp.main.custseg_source_lines;
