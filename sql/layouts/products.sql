-- products: lines whose products are described in a table of their own, which may
--      refer to departments and categories (aisles) in further ones.
-- in:  custseg_source_order_lines; custseg_source_products, _departments, _categories,
--      one row per product_id, department_id, category_id, NULL in the columns that the
--      tables before have themselves
-- out: every line, with the columns of its product; NULL where it is not among them
create temp view custseg_source_named_lines as
select
    order_lines.* replace (
        coalesce(order_lines.product_name, products.product_name) as product_name,
        coalesce(
            order_lines.department, products.department, departments.department
        ) as department,
        coalesce(
            order_lines.category, products.category, categories.category
        ) as category
    ),
from temp.main.custseg_source_order_lines as order_lines
left join temp.main.custseg_source_products as products
    on order_lines.product_id = products.product_id
left join temp.main.custseg_source_departments as departments
    on products.department_id = departments.department_id
left join temp.main.custseg_source_categories as categories
    on products.category_id = categories.category_id;
